import { basename } from "node:path";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { hasGgufMetadata } from "../formats/gguf/gguf-metadata.ts";

/** Key of the entry of a checkpoint's metadata that says how it was made. */
const KEY = "isthmus";

/** How a checkpoint was made, as values that JSON can hold. */
export interface Making {
  /** What was done, such as `merge`. */
  readonly verb: string;
  /** Version of the program that did it. */
  readonly version: string;
  /** Everything else that the result depends on, such as weights and seeds. */
  readonly [option: string]: unknown;
}

/**
 * Returns the metadata that say how a checkpoint was made from others, for `saveCheckpoint`. The inputs are
 * named without their folders, so that the bytes of the result do not depend on where files lie.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, describeMaking, sharedMetadata } from "@isthmus/core";
 *
 * const a = createCheckpoint(new Map(), { format: "pt", seed: "0" }, "runs/a.safetensors");
 * const making = { verb: "prune", version: "1.0.0", share: 0.5 };
 * assert.deepEqual({ ...sharedMetadata(a), ...describeMaking([a], making) }, {
 *   format: "pt",
 *   isthmus: '{"verb":"prune","version":"1.0.0","share":0.5,"inputs":["a.safetensors"]}',
 * });
 * ```
 */
export function describeMaking(inputs: readonly Checkpoint[], making: Making): Record<string, string> {
  const names = inputs.map(({ source }) => basename(source));
  return { [KEY]: JSON.stringify({ ...making, inputs: names }) };
}

/**
 * Returns the metadata of a checkpoint that are true of everything made from it, too: `format`, the framework
 * whose names and layouts the tensors have, and all that a GGUF file says of its architecture and tokenizer.
 * Other entries, such as a seed, are true of that network only.
 */
export function sharedMetadata({ metadata }: Checkpoint): Record<string, string> {
  if (hasGgufMetadata(metadata)) {
    const { [KEY]: _making, ...ofModel } = metadata;
    return ofModel;
  }
  const { format } = metadata;
  return format === undefined ? {} : { format };
}
