import { basename } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { hasGgufMetadata } from "../formats/gguf/gguf-metadata.ts";

/** Metadata key of a checkpoint's description of its making. */
const KEY = "isthmus";

/** Description of the making of a checkpoint, as values that JSON can represent. */
export interface Making {
  /** Operation that made the checkpoint, such as `merge`. */
  readonly verb: string;
  /** Version of the program that made the checkpoint. */
  readonly version: string;
  /** All other inputs that determine the result, such as weights and seeds. */
  readonly [option: string]: unknown;
}

/**
 * Returns metadata that describe the making of a checkpoint from others, for `saveCheckpoint`. The inputs are
 * named without their folders, so that the bytes of the result do not depend on the folders of the inputs.
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
 * Returns the metadata of a checkpoint that also hold for all checkpoints made from it: `format`, the
 * framework whose names and layouts the tensors have, and all GGUF metadata of its architecture and
 * tokenizer. Other entries, such as a seed, hold for that network only.
 */
export function sharedMetadata({ metadata }: Checkpoint): Record<string, string> {
  if (hasGgufMetadata(metadata)) {
    const { [KEY]: _making, ...ofModel } = metadata;
    return ofModel;
  }
  const { format } = metadata;
  return format === undefined ? {} : { format };
}
