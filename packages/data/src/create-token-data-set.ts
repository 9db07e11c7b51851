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
import { MAX_CLASSES } from "./limits.ts";
import type { TextSplit } from "./splits.ts";

/** Token ids, one after the other. */
export type Tokens = Uint16Array | Uint32Array | Int32Array;

/** Options of {@link createTokenDataSet}. */
export interface CreateTokenDataSetOptions {
  /** Name of the data set for messages and results. */
  readonly name?: string;
  /** Number of tokens of an example, at least 2. */
  readonly context?: number;
  /** Part of the tokens: `train` is the first 90 %, `test` the rest; undefined for all. */
  readonly split?: TextSplit | undefined;
  /** Size of the vocabulary, which all token ids must be below; 0 for one more than the largest id. */
  readonly vocabularySize?: number;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit?: number;
}

/** Defaults of {@link CreateTokenDataSetOptions}. */
const CREATE_TOKEN_DATA_SET_DEFAULTS: Required<CreateTokenDataSetOptions> = Object.freeze({
  name: "tokens",
  context: 64,
  split: undefined,
  vocabularySize: 0,
  limit: 0,
});

/** Share of the tokens in the training split. */
const TRAINED = 0.9;

/**
 * Creates a data set of a text that is already split into tokens.
 *
 * Examples are windows of `context` tokens, i64. Each window begins with the last token of the window before,
 * so that every token but the first is predicted exactly once; a remainder that does not fill a window is
 * left out. The label of an example is the token that follows it. Shares memory with `tokens`.
 * @throws InputError if there are too few tokens for one example, fewer examples than `limit`, or an id is
 *   not in the vocabulary
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTokenDataSet } from "@isthmus/data";
 *
 * const data = createTokenDataSet(Uint16Array.of(5, 0, 3, 3, 1, 4, 2), { context: 3 });
 * assert.deepEqual([data.size, data.classes, data.exampleShape], [2, 6, [3]]);
 * assert.deepEqual(data.read(1, 2).inputs.data, BigInt64Array.of(3n, 3n, 1n));
 * ```
 */
export function createTokenDataSet(all: Tokens, options: CreateTokenDataSetOptions = {}): DataSet {
  const resolved = resolveOptions("create a data set of tokens", CREATE_TOKEN_DATA_SET_DEFAULTS, options);
  const { name, context, split, vocabularySize } = resolved;
  assertWholeOptions("create a data set of tokens", resolved, { context: 2, vocabularySize: 0, limit: 0 });
  const classes = countClasses(name, all, vocabularySize);
  const cut = Math.floor(TRAINED * all.length);
  const tokens = split === undefined ? all : split === "train" ? all.subarray(0, cut) : all.subarray(cut);
  const stride = context - 1;
  // The token after the last window is its label.
  const count = Math.floor((tokens.length - 2) / stride);
  if (count < 1) {
    throw new InputError(
      `Cannot use data set "${name}" as it must have at least ${context + 1} tokens for an example of ${context} and what follows: it has ${tokens.length}`,
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
    classes,
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

/** Returns the size of the vocabulary; by default one more than the largest id, which must be in range. */
function countClasses(name: string, tokens: Tokens, vocabularySize: number): number {
  const end = vocabularySize === 0 ? MAX_CLASSES : vocabularySize;
  let largest = 0;
  for (let place = 0; place < tokens.length; place++) {
    const id = tokens[place] as number;
    if (id < 0 || id >= end) throw outOfVocabulary(name, { id, place, vocabularySize });
    if (id > largest) largest = id;
  }
  return vocabularySize === 0 ? largest + 1 : vocabularySize;
}

function outOfVocabulary(
  name: string,
  {
    id,
    place,
    vocabularySize,
  }: { readonly id: number; readonly place: number; readonly vocabularySize: number },
): InputError {
  const rule =
    vocabularySize === 0
      ? `a token id must be from 0 to ${MAX_CLASSES - 1}`
      : `a token id must be in the model's vocabulary, from 0 to ${vocabularySize - 1}`;
  return new InputError(
    `Cannot use data set "${name}" as ${rule}: token ${place} is ${id}; check that it was made with the model's tokenizer, and, if it is a file of numbers, their width: add ,u16 or ,u32 to its path`,
    { input: name },
  );
}

function allocateBatch(examples: number, context: number): Batch {
  const shape = [examples, context];
  return {
    inputs: createTensor("i64", shape, allocateData("i64", examples * context)),
    labels: new Int32Array(examples),
  };
}

/** Writes tokens as 64-bit integers in two halves, as a BigInt for every token would be an object. */
function writeTokens(tokens: Tokens, { dtype, data }: Tensor, begin: number): void {
  if (dtype !== "i64") throw wrongBatch(`its inputs must be i64: they are ${dtype}`);
  const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < tokens.length; i++) {
    // The low half comes first on every machine that Node runs on.
    halves[2 * (begin + i)] = tokens[i] as number;
    halves[2 * (begin + i) + 1] = 0;
  }
}
