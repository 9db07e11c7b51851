import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DType } from "@isthmus/core";
import { findModelConfig } from "@isthmus/zoo";
import { writeModelFiles } from "./write-model-files.ts";

/**
 * Copies what a model is loaded with, beside its weights, into the folder that weights made from it were
 * written to, so that this folder is a model, too. Does nothing for weights without a config, and where the
 * output is a file.
 * @param dtype - element type that the weights were written in, if they were converted; the config then
 *   says so
 * @returns the paths of the files written
 */
export async function copyModelFiles(
  model: string,
  output: string,
  dtype?: DType | undefined,
): Promise<string[]> {
  const config = await findModelConfig(model);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (config === undefined || !isFolder) return [];
  const directory = dirname(config);
  const networks = [{ name: basename(directory), directory }];
  const { files } = await writeModelFiles(output, { base: directory, networks, dtype, card: false });
  return files.map((file) => join(output, file));
}
