import { isIsthmusError, MismatchError } from "@isthmus/core";
import { readVocabulary } from "@isthmus/recipe";
import type { DenseModel } from "./dense-model.ts";

/**
 * Checks that a model reads the tokens of the base under the same ids; it may have further tokens. Without
 * both tokenizers the numbers of rows of embeddings are compared.
 * @throws MismatchError if a token of the base has another id, or none
 */
export async function compareVocabularies(base: DenseModel, model: DenseModel): Promise<void> {
  if (base.directory === model.directory) return;
  const [ours, theirs] = await Promise.all([base, model].map(idsOf));
  if (ours === undefined || theirs === undefined) {
    if (base.vocabulary === model.vocabulary) return;
    throw differ(
      base,
      model,
      `its embedding has ${model.vocabulary} rows, and that of the base ${base.vocabulary}`,
    );
  }
  for (const [token, id] of ours) {
    if (id >= base.vocabulary || theirs.get(token) === id) continue;
    const other = theirs.get(token);
    const state = other === undefined ? "it has no such token" : `it has the id ${other} there`;
    throw differ(
      base,
      model,
      `the token ${JSON.stringify(token)} has the id ${id} in the base, and ${state}`,
    );
  }
}

/** Reads the ids of a model's tokens; undefined if its tokenizer is not in a form that tells them. */
async function idsOf({ directory }: DenseModel): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return (await readVocabulary(directory))?.ids;
  } catch (error) {
    if (isIsthmusError(error, "UnsupportedError")) return undefined;
    throw error;
  }
}

function differ(base: DenseModel, model: DenseModel, how: string): MismatchError {
  return new MismatchError(
    `Cannot make an expert of "${model.name}" as it must read the tokens of the base "${base.name}": ${how}; give it the other tokenizer first by isthmus vocabulary, or leave it out`,
    { parameters: ["vocabulary"], input: model.name },
  );
}
