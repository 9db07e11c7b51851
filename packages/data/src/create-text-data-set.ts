import { assertWholeOptions, InputError, resolveOptions } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { createTokenDataSet } from "./create-token-data-set.ts";
import { codePointsInto } from "./decode-text.ts";
import type { TextSplit } from "./splits.ts";

/** Options of {@link createTextDataSet}. */
export interface CreateTextDataSetOptions {
  /** Name of the data set for messages and results. */
  readonly name?: string;
  /** Number of tokens of an example, at least 2. */
  readonly context?: number;
  /** Part of the text: `train` is the first 90 % of the characters, `test` the rest; undefined for all. */
  readonly split?: TextSplit | undefined;
  /**
   * Token ids by character, such as the vocabulary of a model; undefined to number the characters of the
   * text.
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

/**
 * Creates a data set of a text, character by character.
 *
 * Tokens are characters (Unicode code points), numbered by the vocabulary, else in the order of code points
 * over the whole text, so that both splits have one vocabulary. Examples are windows of `context` tokens,
 * i64. Each window begins with the last token of the window before, so that every token but the first is
 * predicted exactly once; a remainder that does not fill a window is left out. The label of an example is the
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
  const { tokens, vocabulary } =
    resolved.vocabulary === undefined ? tokenize(points) : encode(points, resolved.vocabulary, name);
  const { limit } = resolved;
  const data = createTokenDataSet(tokens, { name, context, split, vocabularySize: vocabulary.length, limit });
  return Object.freeze({ ...data, vocabulary: Object.freeze(vocabulary) });
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
