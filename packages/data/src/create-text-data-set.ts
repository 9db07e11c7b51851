import {
  allocateData,
  assertWholeOptions,
  createTensor,
  InputError,
  resolveOptions,
  type Tensor,
} from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import { assertGathers, assertReads, limitTo, wrongBatch } from "./assert-reads.ts";
import { codePointsInto } from "./decode-text.ts";
import type { Split } from "./parse-data-set-name.ts";

/** Options of {@link createTextDataSet}. */
export interface CreateTextDataSetOptions {
  /** Name for messages and results. */
  readonly name?: string;
  /** Tokens of an example, at least 2. */
  readonly context?: number;
  /** Part of the text: `train` is the first 90 % of the characters, `test` the others; undefined for all. */
  readonly split?: Split | undefined;
  /**
   * Tokens by character, such as the vocabulary of a model; undefined to number the characters of the text.
   */
  readonly vocabulary?: ReadonlyMap<string, number> | undefined;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit?: number;
}

/** Defaults of {@link createTextDataSet}. */
export const CREATE_TEXT_DATA_SET_DEFAULTS: Required<CreateTextDataSetOptions> = Object.freeze({
  name: "text",
  context: 64,
  split: undefined,
  vocabulary: undefined,
  limit: 0,
});

/** Share of the characters in the training split. */
const TRAINED = 0.9;

/**
 * Creates a data set of a text, character by character.
 *
 * Tokens are characters (Unicode code points), numbered by the vocabulary, else in the order of code points
 * over the whole text, so that both splits have one vocabulary. Examples are windows of `context` tokens,
 * i64. Each window begins with the last token of the window before, so that every token but the first is
 * predicted exactly once; a rest at the end that fills no window is left out. The label of an example is the
 * token that follows it.
 * @param text - characters, or their code points
 * @throws InputError if there are too few characters for one example, fewer examples than `limit`, or the
 * vocabulary lacks a character
 * @throws OutOfRangeError if an option is out of its range
 */
export function createTextDataSet(
  text: string | Int32Array,
  options: CreateTextDataSetOptions = {},
): DataSet {
  const resolved = resolveOptions("create a text data set", CREATE_TEXT_DATA_SET_DEFAULTS, options);
  const { name, context, split } = resolved;
  assertWholeOptions("create a text data set", resolved, { context: 2, limit: 0 });
  const points = typeof text === "string" ? codePointsOf(text) : text;
  const { tokens: all, vocabulary } =
    resolved.vocabulary === undefined ? tokenize(points) : encode(points, resolved.vocabulary, name);
  const cut = Math.floor(TRAINED * all.length);
  const tokens = split === undefined ? all : split === "train" ? all.subarray(0, cut) : all.subarray(cut);
  const stride = context - 1;
  // The token behind the last window is its label.
  const count = Math.floor((tokens.length - 2) / stride);
  if (count < 1) {
    throw new InputError(
      `Cannot use data set "${name}" as it must have at least ${context + 1} characters for an example of ${context} and what follows: it has ${tokens.length}`,
      { input: name },
    );
  }
  const size = limitTo(resolved.limit, count, name);
  const write = (index: number, row: number, { inputs, labels }: Batch): void => {
    const begin = index * stride;
    writeTokens(tokens.subarray(begin, begin + context), inputs, row * context);
    labels[row] = tokens[begin + context] as number;
  };
  return Object.freeze({
    name,
    size,
    exampleShape: Object.freeze([context]),
    classes: vocabulary.length,
    vocabulary: Object.freeze(vocabulary),
    read(begin: number, end: number) {
      assertReads({ name, size }, begin, end);
      const batch = allocateBatch(end - begin, context);
      for (let i = begin; i < end; i++) write(i, i - begin, batch);
      return batch;
    },
    gatherInto(indices: Uint32Array, out: Batch) {
      assertGathers({ name, size, stride: context }, indices, out);
      indices.forEach((index, i) => {
        write(index, i, out);
      });
      return out;
    },
  });
}

function codePointsOf(text: string): Int32Array {
  const points = new Int32Array(text.length);
  return points.subarray(0, codePointsInto(text, points, 0));
}

/** Numbers the distinct characters of a text in the order of their code points. */
function tokenize(points: Int32Array): { tokens: Int32Array; vocabulary: string[] } {
  const distinct = [...new Set(points)].sort((a, b) => a - b);
  const tokenOf = new Map(distinct.map((point, token) => [point, token]));
  return {
    tokens: points.map((point) => tokenOf.get(point) as number),
    vocabulary: distinct.map((point) => String.fromCodePoint(point)),
  };
}

/** Looks up characters in the vocabulary of a model. */
function encode(
  points: Int32Array,
  modelVocabulary: ReadonlyMap<string, number>,
  name: string,
): { tokens: Int32Array; vocabulary: string[] } {
  const tokenOf = new Map(
    [...modelVocabulary].map(([character, token]) => [character.codePointAt(0), token]),
  );
  const vocabulary = Array<string>(1 + Math.max(0, ...modelVocabulary.values())).fill("");
  for (const [character, token] of modelVocabulary) vocabulary[token] = character;
  const tokens = points.map((point, place) => {
    const token = tokenOf.get(point);
    if (token !== undefined) return token;
    throw new InputError(
      `Cannot use data set "${name}" as the model's vocabulary of ${modelVocabulary.size} characters must have each of its characters: ${JSON.stringify(String.fromCodePoint(point))}, character ${place} of the text, is not among them`,
      { input: name },
    );
  });
  return { tokens, vocabulary };
}

function allocateBatch(examples: number, context: number): Batch {
  const shape = [examples, context];
  return {
    inputs: createTensor("i64", shape, allocateData("i64", examples * context)),
    labels: new Int32Array(examples),
  };
}

/** Writes tokens as 64-bit integers in two halves, as a BigInt for every token would be an object. */
function writeTokens(tokens: Int32Array, { dtype, data }: Tensor, begin: number): void {
  if (dtype !== "i64") throw wrongBatch(`its inputs must be i64: they are ${dtype}`);
  const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < tokens.length; i++) {
    // The low half comes first on every machine that Node runs on.
    halves[2 * (begin + i)] = tokens[i] as number;
    halves[2 * (begin + i) + 1] = 0;
  }
}
