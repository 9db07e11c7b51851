import { MismatchError } from "../errors.ts";
import { entry } from "../invariant.ts";
import type { TensorInfo } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { defineCheckpoint } from "./define-checkpoint.ts";

/** Reference to a tensor of a checkpoint. */
export interface TensorPlace {
  /** Checkpoint that the tensor is read from. */
  readonly checkpoint: Checkpoint;
  /** Name of the tensor in this checkpoint. */
  readonly name: string;
}

/** Source and metadata for {@link composeCheckpoint}, which do not follow from the tensors. */
export interface ComposeCheckpointOptions {
  /** Name for messages. */
  readonly source: string;
  /** Strings stored beside the tensors. @defaultValue none */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Makes a checkpoint lazily from tensors of other checkpoints, under new names.
 *
 * One tensor may occur several times, as tied weights do.
 *
 * @param tensors - reference to each tensor, by its name in the result and in the order of the result
 * @throws MismatchError if a checkpoint lacks a referenced tensor
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { composeCheckpoint } from "@isthmus/core";
 * import { openCheckpoint } from "@isthmus/core";
 *
 * // The body of one network with the last layer of another.
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const places = [...a.tensors.keys()].map((name) => {
 *   return [name, { checkpoint: name.startsWith("layers.3.") ? b : a, name }] as const;
 * });
 * const mixed = composeCheckpoint(new Map(places), { source: "a with the last layer of b" });
 * assert.deepEqual(await mixed.read("layers.3.bias"), await b.read("layers.3.bias"));
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function composeCheckpoint(
  tensors: ReadonlyMap<string, TensorPlace>,
  { source, metadata = {} }: ComposeCheckpointOptions,
): Checkpoint {
  return defineCheckpoint({
    source,
    tensors: new Map([...tensors].map(([name, place]) => [name, infoOf(place)])),
    metadata,
    inputs: [...new Set([...tensors.values()].map(({ checkpoint }) => checkpoint))],
    readInto: (name, begin, out) => {
      const place = entry(tensors, name, "tensor");
      return place.checkpoint.readRangeInto(place.name, begin, out);
    },
  });
}

function infoOf({ checkpoint, name }: TensorPlace): TensorInfo {
  const info = checkpoint.tensors.get(name);
  if (info !== undefined) return info;
  throw new MismatchError(
    `Cannot compose a checkpoint with "${name}" of "${checkpoint.source}" as there must be a tensor of that name: there is none`,
    { parameters: [name] },
  );
}
