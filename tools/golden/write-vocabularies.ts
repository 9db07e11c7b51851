// Writes the model files of each case of make-vocabularies.py into a folder, for Python to load.
//
//   npx tsx --conditions=@isthmus/source tools/golden/write-vocabularies.ts packages/recipe/test/golden/vocabularies OUT
//   python tools/golden/make-vocabularies.py packages/recipe/test/golden/vocabularies --check OUT
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { planVocabulary, type TokenRow, type VocabularyNetwork, writeModelFiles } from "@isthmus/recipe";

interface VocabularyCase {
  readonly name: string;
  readonly networks: readonly string[];
  readonly source: string;
  readonly base?: number;
  readonly pad?: number;
  readonly tokens?: Readonly<Record<string, TokenRow>>;
}

const [folder, out] = process.argv.slice(2);
if (folder === undefined || out === undefined) throw new Error("usage: write-vocabularies.ts FOLDER OUT");
const { cases } = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as {
  cases: readonly VocabularyCase[];
};
for (const { name, networks: names, source, base, pad = 1, tokens = {} } of cases) {
  const networks = names.map((network) => ({ name: network, directory: join(folder, network) }));
  const [first, ...others] = networks as [VocabularyNetwork, ...VocabularyNetwork[]];
  const tokenizer = { source, tokens, padToMultipleOf: pad };
  const vocabulary = await planVocabulary({ networks: [first, ...others], base, tokenizer });
  const directory = networks[base ?? 0]?.directory ?? first.directory;
  await writeModelFiles(join(out, name), { base: directory, networks, vocabulary, chatTemplate: "auto" });
}
