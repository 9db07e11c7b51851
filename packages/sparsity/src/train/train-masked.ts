import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { fingerprintMasks, type Trained, type TrainOptions, train } from "@isthmus/training";
import { applyMasks, type Masks } from "../masks/masks.ts";

/**
 * Trains a pruned network further: pruned weights are zero at the start and after every step.
 *
 * Gradients of pruned weights still count for the norm by which gradients are clipped, and for the step of
 * sharpness-aware minimisation. A training that resumes ends with the same bytes, as with `train`; its state
 * must be of the same masks.
 * @throws InputError if the network lacks a masked weight; else as `train`
 * @throws OutOfRangeError if a mask and its weight have different numbers of elements
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, pruneNetwork, trainMasked } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { weights, masks } = await pruneNetwork(architecture, initialize(0), { sparsity: 0.5 });
 * const tuned = await trainMasked(architecture, { weights, masks }, data, { seed: 0, epochs: 1 });
 * const [[name, mask] = ["", new Uint8Array()]] = masks;
 * const { data: values } = await tuned.weights.read(name);
 * assert(mask.every((stays, i) => stays === 1 || values[i] === 0));
 * ```
 */
export async function trainMasked(
  architecture: Architecture,
  { weights, masks }: { readonly weights: Checkpoint; readonly masks: Masks },
  data: DataSet,
  options: Omit<TrainOptions, "constraint">,
): Promise<Trained> {
  const start = await applyMasks(weights, masks);
  const constraint = { description: { masks: fingerprintMasks(masks) }, masks };
  return train(architecture, start, data, { ...options, constraint });
}
