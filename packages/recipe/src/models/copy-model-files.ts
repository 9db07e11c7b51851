import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DType } from "@isthmus/core";
import { findModelConfig } from "@isthmus/zoo";
import { writeModelFiles } from "./write-model-files.ts";

/** Options of {@link copyModelFiles}: what the config says of the weights that were written. */
export interface CopyModelFilesOptions {
  /** Element type that they were converted to. @defaultValue as the model's config says */
  readonly dtype?: DType | undefined;
  /** Whether the output head is the embedding. @defaultValue as the model's config says */
  readonly tied?: boolean | undefined;
  /** Takes notes on what people should look at, such as a file that is left out. @defaultValue none */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Copies what a model is loaded with, beside its weights, into the folder that weights made from it were
 * written to, so that this folder is a model, too. Does nothing for weights without a config, and where the
 * output is a file.
 * @returns the paths of the files written
 */
export async function copyModelFiles(
  model: string,
  output: string,
  { dtype, tied, onNote }: CopyModelFilesOptions = {},
): Promise<string[]> {
  const config = await findModelConfig(model);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (config === undefined || !isFolder) return [];
  const directory = dirname(config);
  const networks = [{ name: basename(directory), directory }];
  const written = { base: directory, networks, dtype, tied, card: false };
  const { files, notes } = await writeModelFiles(output, written);
  for (const note of notes) onNote?.(note);
  return files.map((file) => join(output, file));
}
