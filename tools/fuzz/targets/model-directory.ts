import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planVocabulary, writeModelFiles } from "@isthmus/recipe";
import { deepen } from "../bombs.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzTarget } from "../target.ts";

const GOLDEN = new URL("../../../packages/recipe/test/golden/vocabularies/", import.meta.url).pathname;
const FILES = ["tokenizer.json", "tokenizer_config.json", "config.json"];
const OLDER = { "vocab.json": '{"a": 0, "b": 1}', "added_tokens.json": '{"[X]": 2}', "config.json": "{}" };

/** Makes model directories whose tokenizers and settings are damaged, merges them with a good one, and writes the result. */
export async function createModelDirectoryTarget(): Promise<FuzzTarget> {
  const models = await Promise.all(
    ["bpe-pad", "wordpiece", "unigram"].map(async (name) => {
      const texts = await Promise.all(FILES.map((file) => readFile(join(GOLDEN, name, file), "utf8")));
      return Object.fromEntries(FILES.map((file, i) => [file, texts[i] as string]));
    }),
  );
  const all = [...models, OLDER] as readonly Readonly<Record<string, string>>[];
  return {
    name: "model directory",
    valid: () => all,
    *bombs() {
      for (const files of all) {
        for (const [name, text] of Object.entries(files)) {
          for (const deep of deepen(JSON.parse(text))) yield { ...files, [name]: deep };
        }
        yield { ...files, "added_tokens.json": `{"[X]": ${2 ** 40}}` };
        yield { ...files, "config.json": `{"vocab_size": ${2 ** 50}}` };
      }
    },
    make(dice) {
      const files = dice.pick(all);
      const name = dice.pick(Object.keys(files));
      return { ...files, [name]: writeJson(dice, mutateJson(dice, JSON.parse(files[name] as string))) };
    },
    async read(folder) {
      const networks = [
        { name: "damaged", directory: folder },
        { name: "good", directory: join(GOLDEN, "bpe-chat") },
      ] as const;
      const vocabulary = await planVocabulary({ networks, base: 0 });
      const out = await mkdtemp(join(tmpdir(), "isthmus-fuzz-model-"));
      try {
        await writeModelFiles(out, { base: folder, networks, vocabulary, chatTemplate: "auto" });
      } finally {
        await rm(out, { recursive: true });
      }
    },
  };
}
