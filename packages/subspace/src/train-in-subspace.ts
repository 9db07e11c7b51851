import { type Checkpoint, resolveFields } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  type TrainedCoordinates,
  type TrainReparameterizedOptions,
  trainReparameterized,
} from "@isthmus/training";
import { createSubspace, SUBSPACE_FIELDS, type SubspaceOptions } from "./create-subspace.ts";

/** Options of {@link trainInSubspace}; `freeze` leaves parameters out of the subspace. */
export interface TrainInSubspaceOptions extends TrainReparameterizedOptions, SubspaceOptions {}

/**
 * Trains a network in a random subspace through its start: its parameters are `theta_0 + P z`, and the
 * optimiser changes only the coordinates `z`, which start as zeros, by the gradient `P^T g`.
 *
 * The matrix `P` comes from the seed. Weight decay and clipping act on the coordinates. The columns of `P`
 * have length 1, so that the length of `z` is nearly the distance from the start, and plain SGD moves the
 * network only by the part of the gradient that lies in the subspace. The steps of Adam do not depend on the
 * length of the gradient, so that one learning rate suits all dimensions. A training that resumes ends with
 * the same bytes, as with `train`.
 *
 * Another network of the same function, such as one with permuted units, is trained in another subspace:
 * results differ as much as between seeds.
 * @throws OutOfRangeError if the dimension is not from 1 to the number of trained parameters
 * @throws UsageError if an option is unknown, or the optimiser is sharpness-aware
 * @throws UnsupportedError if a trained parameter is not f32
 * @throws InputError, MismatchError, FormatError, DivergenceError, EngineError, DOMException as `train`
 * @see Li et al., Measuring the intrinsic dimension of objective landscapes, 2018
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, trainInSubspace } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const options = { dimension: 20, seed: 0, epochs: 1 };
 * const { weights, coordinates } = await trainInSubspace(architecture, initialize(0), data, options);
 * assert.equal(weights.tensors.size, 4);
 * assert.equal(coordinates.length, 20); // 20 numbers, with the seed, are the whole network
 * ```
 */
export async function trainInSubspace(
  architecture: Architecture,
  start: Checkpoint,
  data: DataSet,
  { dimension, projection, scope, ...options }: TrainInSubspaceOptions,
): Promise<TrainedCoordinates> {
  const chosen = resolveFields("train in a subspace", SUBSPACE_FIELDS, { projection, scope });
  const network = {
    start,
    reparameterize: (parameters: Parameters<typeof createSubspace>[0]) =>
      createSubspace(parameters, { dimension, ...chosen }, options.seed),
  };
  return trainReparameterized(architecture, network, data, options);
}
