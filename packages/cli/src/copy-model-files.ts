import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assertNoInput, readFileBytes, saveFile } from "@isthmus/core";
import { findModelConfig } from "@isthmus/zoo";

/** Files beside the weights that a model is loaded with: its config, and how texts or images are fed to it. */
const COMPANIONS: ReadonlySet<string> = new Set([
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "config.json",
  "generation_config.json",
  "merges.txt",
  "preprocessor_config.json",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "vocab.json",
  "vocab.txt",
]);

/** Largest of these files, in bytes; a tokenizer has some tens of megabytes. */
const MAX_COMPANION_BYTES = 2 ** 30;

/**
 * Checks, before long work, that no model would be written over by another.
 * @throws InputError if the output is the folder of a model that is read
 */
export async function assertNoModelFolder(output: string, models: readonly string[]): Promise<void> {
  const configs = await Promise.all(models.map(findModelConfig));
  const inputs = configs.filter((config) => config !== undefined);
  await assertNoInput(
    inputs.map((config) => join(output, basename(config))),
    inputs,
  );
}

/**
 * Copies what a model is loaded with, beside its weights, into the folder that weights made from it were written to, so that this
 * is a model, too. Does nothing for weights without a config, and where the output is a file.
 * @returns the files written
 */
export async function copyModelFiles(model: string, output: string): Promise<string[]> {
  const config = await findModelConfig(model);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (config === undefined || !isFolder) return [];
  const from = dirname(config);
  const names = (await readdir(from)).filter((name) => COMPANIONS.has(name)).sort();
  const written: string[] = [];
  for (const name of names) {
    const path = join(output, name);
    await saveFile(path, await readFileBytes(join(from, name), MAX_COMPANION_BYTES), [join(from, name)]);
    written.push(path);
  }
  return written;
}
