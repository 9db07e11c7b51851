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
  readonly name: string;
  /** Tokens of an example, at least 2. */
  readonly context: number;
  /** The first 90 % of the characters, or the others; undefined for all. */
  readonly split: Split | undefined;
  /** Tokens by character, such as a model's own; undefined to number the characters of the text. */
  readonly vocabulary: ReadonlyMap<string, number> | undefined;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
}

/** Defaults of {@link createTextDataSet}. */
export const CREATE_TEXT_DATA_SET_DEFAULTS: CreateTextDataSetOptions = Object.freeze({
  name: "text",
  context: 64,
  split: undefined,
  vocabulary: undefined,
  limit: 0,
});

/** Share of characters that is trained on. */
const TRAINED = 0.9;

/**
 * Makes a data set of a text, character by character.
 *
 * Tokens are characters (Unicode code points), numbered as a vocabulary says, else in their order as code points over the whole text, so
 * that both splits have one vocabulary. Examples are windows of `context` tokens, i64. Each begins with the last token of the one before, so that
 * over all of them every token but the first is predicted once; what is left at the end and fills no window is left out. The label
 * of an example is the token that follows it.
 * @param text - characters, or their code points
 * @throws InputError if there are too few characters for one example, or fewer examples than `limit`, or the vocabulary lacks one
 * @throws RangeError if an option is out of its range
 */
export function createTextDataSet(
  text: string | Int32Array,
  options: Partial<CreateTextDataSetOptions> = {},
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
  const write = (index: number, at: number, { inputs, labels }: Batch): void => {
    const begin = index * stride;
    writeTokens(tokens.subarray(begin, begin + context), inputs, at * context);
    labels[at] = tokens[begin + context] as number;
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

/** Numbers characters by their order among those that occur. */
function tokenize(points: Int32Array): { tokens: Int32Array; vocabulary: string[] } {
  const distinct = [...new Set(points)].sort((a, b) => a - b);
  const tokenOf = new Map(distinct.map((point, token) => [point, token]));
  return {
    tokens: points.map((point) => tokenOf.get(point) as number),
    vocabulary: distinct.map((point) => String.fromCodePoint(point)),
  };
}

/** Looks characters up in a vocabulary. */
function encode(
  points: Int32Array,
  known: ReadonlyMap<string, number>,
  name: string,
): { tokens: Int32Array; vocabulary: string[] } {
  const tokenOf = new Map([...known].map(([character, token]) => [character.codePointAt(0), token]));
  const vocabulary = Array<string>(1 + Math.max(0, ...known.values())).fill("");
  for (const [character, token] of known) vocabulary[token] = character;
  const tokens = points.map((point, at) => {
    const token = tokenOf.get(point);
    if (token !== undefined) return token;
    throw new InputError(
      `Cannot use data set "${name}" as the model's vocabulary of ${known.size} characters must have each of its characters: ${JSON.stringify(String.fromCodePoint(point))}, character ${at} of the text, is not among them`,
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

/** 64-bit integers are written as two halves, as a BigInt for every token would be an object. */
function writeTokens(tokens: Int32Array, { dtype, data }: Tensor, at: number): void {
  if (dtype !== "i64") throw wrongBatch(`its inputs must be i64: they are ${dtype}`);
  const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < tokens.length; i++) {
    // The low half comes first on every machine that Node runs on.
    halves[2 * (at + i)] = tokens[i] as number;
    halves[2 * (at + i) + 1] = 0;
  }
}
