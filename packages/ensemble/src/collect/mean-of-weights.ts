import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { countBatchNorms, holdInMemory, recalibrateBatchNorm } from "@isthmus/statistics";

/** Options of {@link meanOfWeights}. */
export interface MeanOfWeightsOptions {
  /** Examples on which batch norms are measured again. */
  readonly data: DataSet;
  /** Signal that stops the measurement of batch norms. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Averages the weights of networks, and measures batch norms again, as the mean of their statistics does not
 * fit the mean of the weights. The mean of copies of a network without batch norms is that network, bit for
 * bit.
 * @returns the mean, in memory
 * @throws OutOfRangeError if there are no networks
 * @throws MismatchError if names or shapes differ
 * @see Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, meanOfWeights, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:train@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const networks = [initialize(0), initialize(0)];
 * const mean = await meanOfWeights({ graph, engine: createOnnxRuntimeEngine() }, networks, { data });
 * const [name = ""] = mean.tensors.keys();
 * assert.deepEqual((await mean.read(name)).data, (await initialize(0).read(name)).data);
 * ```
 */
export async function meanOfWeights(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  { data, signal }: MeanOfWeightsOptions,
): Promise<Checkpoint> {
  const mean = await holdInMemory({ graph, engine }, average(networks));
  return countBatchNorms(graph) === 0
    ? mean
    : recalibrateBatchNorm({ graph, engine }, mean, data, { signal });
}
