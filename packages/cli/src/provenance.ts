import { basename } from "node:path";
import type { Checkpoint } from "@isthmus/core";

/** Key under which a checkpoint's metadata says how it was made. */
const KEY = "isthmus";

/**
 * Metadata of a checkpoint that was computed from `inputs`: that of the first, which says what kind of file it is,
 * and how it was made. Names without folders, so that the bytes do not depend on where files lie.
 */
export function describeProvenance(
  inputs: readonly [Checkpoint, ...Checkpoint[]],
  made: { readonly verb: string; readonly version: string } & Readonly<Record<string, unknown>>,
): Record<string, string> {
  const names = inputs.map(({ source }) => basename(source));
  return { ...inputs[0].metadata, [KEY]: JSON.stringify({ ...made, inputs: names }) };
}
