import { isIsthmusError } from "@isthmus/core";
import { readVocabulary } from "./read-vocabulary.ts";

/** Result of a comparison of the tokens of two models. */
export interface TokensComparison {
  /** Whether both tokenizers are in a form that tells the ids of their tokens. */
  readonly areKnown: boolean;
  /** Sentence part about the first token that differs; undefined if none does, or they are not known. */
  readonly difference: string | undefined;
}

/**
 * Compares the ids of the tokens of a base with their ids in another model, which may have further tokens.
 * @param base - folder of the base
 * @param directory - folder of the other model
 * @param rows - number of rows of the base's embedding; tokens beyond them do not count
 * @throws FormatError if a tokenizer is damaged
 */
export async function compareTokens(
  base: string,
  directory: string,
  rows: number = Number.POSITIVE_INFINITY,
): Promise<TokensComparison> {
  if (base === directory) return { areKnown: true, difference: undefined };
  const [ours, theirs] = await Promise.all([base, directory].map(idsOf));
  if (ours === undefined || theirs === undefined) return { areKnown: false, difference: undefined };
  for (const [token, id] of ours) {
    const other = theirs.get(token);
    if (id >= rows || other === id) continue;
    const state = other === undefined ? "it has no such token" : `it has the id ${other} there`;
    const difference = `the token ${JSON.stringify(token)} has the id ${id} in the base, and ${state}`;
    return { areKnown: true, difference };
  }
  return { areKnown: true, difference: undefined };
}

/** Reads the ids of a model's tokens; undefined if its tokenizer is not in a form that tells them. */
async function idsOf(directory: string): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return (await readVocabulary(directory))?.ids;
  } catch (error) {
    if (isIsthmusError(error, "UnsupportedError")) return undefined;
    throw error;
  }
}
