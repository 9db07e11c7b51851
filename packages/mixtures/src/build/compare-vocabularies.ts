import { MismatchError } from "@isthmus/core";
import { compareTokens } from "@isthmus/recipe";
import type { DenseModel } from "./dense-model.ts";

/**
 * Checks that a model reads the tokens of the base under the same ids; it may have further tokens. Without
 * both tokenizers the numbers of rows of embeddings are compared.
 * @throws MismatchError if a token of the base has another id, or none
 */
export async function compareVocabularies(base: DenseModel, model: DenseModel): Promise<void> {
  const { areKnown, difference } = await compareTokens(base.directory, model.directory, base.vocabulary);
  const isCounted = !areKnown && base.vocabulary !== model.vocabulary;
  const rows = `its embedding has ${model.vocabulary} rows, and that of the base ${base.vocabulary}`;
  const how = isCounted ? rows : difference;
  if (how === undefined) return;
  throw new MismatchError(
    `Cannot make an expert of "${model.name}" as it must read the tokens of the base "${base.name}": ${how}; give it the other tokenizer first by isthmus vocabulary, or leave it out`,
    { parameters: ["vocabulary"], input: model.name },
  );
}
