import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assertNoInput, type DType, readFileBytes, saveFile } from "@isthmus/core";
import { findModelConfig } from "./open-model.ts";

/**
 * Files beside the weights that a model is loaded with: its config, and how texts or images are fed to it.
 */
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
 * Copies what a model is loaded with, beside its weights, into the folder that weights made from it were
 * written to, so that this
 * is a model, too. Does nothing for weights without a config, and where the output is a file.
 * @param dtype - element type that the weights were written in, if they were converted; the config then
 *   says so
 * @returns the files written
 */
export async function copyModelFiles(model: string, output: string, dtype?: DType): Promise<string[]> {
  const config = await findModelConfig(model);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (config === undefined || !isFolder) return [];
  const from = dirname(config);
  const names = (await readdir(from)).filter((name) => COMPANIONS.has(name)).sort();
  const written: string[] = [];
  for (const name of names) {
    const path = join(output, name);
    const bytes = await readFileBytes(join(from, name), MAX_COMPANION_BYTES);
    const content = name === "config.json" && dtype !== undefined ? withDType(bytes, dtype) : bytes;
    await saveFile(path, content, [join(from, name)]);
    written.push(path);
  }
  return written;
}

/** What transformers calls element types. */
const TORCH_NAMES: Readonly<Partial<Record<DType, string>>> = {
  f32: "float32",
  f64: "float64",
  f16: "float16",
  bf16: "bfloat16",
};

/**
 * A config whose weights are said to be of another type, under the key that it has for that; unchanged
 * without such a key.
 */
function withDType(config: Uint8Array, dtype: DType): Uint8Array | string {
  const text = new TextDecoder().decode(config);
  const name = TORCH_NAMES[dtype];
  if (name === undefined) return config;
  return text.replace(/("(?:torch_)?dtype"\s*:\s*)"[a-z0-9]+"/g, `$1"${name}"`);
}
