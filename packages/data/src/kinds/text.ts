import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { createTextDataSet } from "../create-text-data-set.ts";
import { createTokenDataSet } from "../create-token-data-set.ts";
import { decodeText, textOf } from "../decode-text.ts";
import { assertUnscaled } from "../open-arrays.ts";
import type { ResolvedDataOptions } from "../open-data-options.ts";
import { readDataFile } from "../read-data-file.ts";
import type { TextSplit } from "../splits.ts";
import { CONTEXT, contextOf, windowOf, withObjective } from "../text-objective.ts";
import type { DataKind, DataSetName } from "./data-kind.ts";

/** Plain texts. */
export const textKind: DataKind = {
  name: "text",
  forms: [
    {
      form: "text:FILE",
      what: "a text in UTF-8, by characters, or by the tokenizer of the model's folder; its last 10 % are its test split; `,context=512` behind the file cuts it into windows of 512 tokens",
      example: "text:shakespeare.txt:train",
    },
  ],
  place: "a file",
  endings: [".txt"],
  settings: { context: CONTEXT },
  splits: ["test", "train"],
  isText: true,
  findSplits: async () => ["test", "train"],
  async open(name, options) {
    const file = at(name.paths, 0, "path");
    const split = name.split === "train" ? "train" : "test";
    return openText(name, decodeText(await readDataFile(file), file), { ...options, split });
  },
};

/**
 * Makes a data set of a text: of its characters, or of tokens if the options contain an encoder.
 * @param points - code points of the text
 * @param options - options with the split of the text, which is undefined for the whole text
 * @throws InputError as `createTextDataSet` and `createTokenDataSet`, or if the options scale the text
 */
export function openText(
  {
    name,
    limit,
    settings = {},
  }: Pick<DataSetName, "name" | "limit"> & Partial<Pick<DataSetName, "settings">>,
  points: Int32Array,
  options: ResolvedDataOptions & { readonly split: TextSplit | undefined },
): DataSet {
  const { vocabulary, encode, vocabularySize, scaling, split, objective } = options;
  const context = windowOf(contextOf(settings, options), objective);
  assertUnscaled(name, scaling, "characters");
  const data =
    encode === undefined
      ? createTextDataSet(points, { name, context, vocabulary, split, limit })
      : createTokenDataSet(encode(textOf(points)), { name, context, vocabularySize, split, limit });
  return withObjective(data, objective);
}
