import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { assertNoInput, InputError, resolveOutputPlace, UsageError } from "@isthmus/core";
import { assertNoModelFolder } from "@isthmus/zoo";

/**
 * Checks, before long work, that a file can be written in the end: it is no folder and no input, and no file
 * has the name of a folder above it. Folders that are missing are created when the file is written.
 * @throws InputError if the file cannot be written
 */
export async function assertOutput(path: string, inputs: readonly string[]): Promise<void> {
  await assertNoInput([path], inputs);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) throw outputError(path, "it must be a file: it is a folder; name a file in it");
  await assertFolders(path, dirname(path));
}

/**
 * Checks, before long work, that a network can be written in the end: to a file of a format that is written
 * and that is no input, or to a folder that is not the folder of a model that is read.
 * @param models - paths of the networks that are read
 * @throws InputError if the network cannot be written
 */
export async function assertNetworkOutput(
  path: string,
  { inputs, models }: { readonly inputs: readonly string[]; readonly models: readonly string[] },
): Promise<void> {
  await resolveOutputPlace(path);
  if (path.endsWith(".safetensors")) await assertOutput(path, inputs);
  await assertNoModelFolder(path, models);
}

async function assertFolders(path: string, folder: string): Promise<void> {
  const stats = await stat(folder).catch(() => undefined);
  const above = dirname(folder);
  if (stats === undefined && above !== folder) return assertFolders(path, above);
  if (stats !== undefined && !stats.isDirectory())
    throw outputError(path, `"${folder}" must be a folder: it is a file`);
}

function outputError(path: string, rule: string): InputError {
  return new InputError(`Cannot write "${path}" as ${rule}`, { input: path });
}

/**
 * Checks the name of a page that will be written.
 * @throws UsageError if it does not end in `.html`
 */
export function assertPageName(path: string): void {
  if (path.endsWith(".html")) return;
  throw new UsageError(`Cannot write a report as its name must end in .html: got ${path}`);
}

/**
 * Checks the name of a result that will be written.
 * @throws UsageError if it does not end in `.json`
 */
export function assertResultName(path: string): void {
  if (path.endsWith(".json")) return;
  throw new UsageError(`Cannot write a result as -o must name a file ending in .json: it is "${path}"`);
}
