import { copyFile, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
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
  if (resolve(from) === resolve(output)) return [];
  const names = (await readdir(from)).filter((name) => COMPANIONS.has(name)).sort();
  const written = names.map((name) => join(output, basename(name)));
  for (const [i, name] of names.entries()) await copyFile(join(from, name), written[i] ?? "");
  return written;
}
