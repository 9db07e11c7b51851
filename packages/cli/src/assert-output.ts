import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { assertNoInput, InputError } from "@isthmus/core";

/**
 * Checks, before long work, that a file can be written in the end: its folder exists and it is not an input.
 * @throws InputError if not
 */
export async function assertOutput(path: string, inputs: readonly string[]): Promise<void> {
  await assertNoInput([path], inputs);
  const folder = dirname(path);
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory()) return;
  throw new InputError(`Cannot write "${path}" as its folder must exist: create "${folder}" first`, {
    input: path,
  });
}

/**
 * Checks the name of a page that will be written.
 * @throws TypeError if it does not end in `.html`
 */
export function assertPageName(path: string): void {
  if (path.endsWith(".html")) return;
  throw new TypeError(`Cannot write a report as its name must end in .html: got ${path}`);
}
