import { basename } from "node:path";
import type { Checkpoint } from "@isthmus/core";

/** Key under which a checkpoint's metadata says how it was made. */
const KEY = "isthmus";

/** How a checkpoint was made. */
export interface Making {
  readonly verb: string;
  readonly version: string;
  readonly [option: string]: unknown;
}

/**
 * Metadata entry that says how a checkpoint was made of `inputs`. Names without folders, so that the bytes
 * do not depend on where files lie.
 */
export function describeMaking(inputs: readonly Checkpoint[], making: Making): Record<string, string> {
  const names = inputs.map(({ source }) => basename(source));
  return { [KEY]: JSON.stringify({ ...making, inputs: names }) };
}

/**
 * Metadata that is true of a combination, too: which framework's names and layouts the tensors have. What
 * else the first checkpoint says, such as its seed, is true of that network only.
 */
export function sharedMetadata({ metadata }: Checkpoint): Record<string, string> {
  const { format } = metadata;
  return format === undefined ? {} : { format };
}
