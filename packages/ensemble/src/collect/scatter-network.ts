import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  entry,
  type Tensor,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, limitExamples, parameterNames } from "@isthmus/graph";
import { countBatchNorms, recalibrateBatchNorm, STATISTICS_EXAMPLES } from "@isthmus/statistics";

/** Options of {@link scatterNetwork}. */
export interface ScatterNetworkOptions {
  /** Seed of the random direction. */
  readonly seed: number;
  /** Index of the network among several of the same seed. @defaultValue 0 */
  readonly number?: number;
  /** Examples on which batch norms are measured again; needed if there are such norms. */
  readonly statisticsData: DataSet;
  /** Signal that stops the measurement of batch norms. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a network that is as far from a start as another one, parameter by parameter, in a random
 * direction: a control for the effect of the direction that training has taken. Batch norms are measured
 * again.
 * @returns the network, in memory
 * @throws MismatchError if a network does not fit the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { scatterNetwork } from "@isthmus/ensemble";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const statisticsData = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8", statisticsData);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const [start, collected] = [initialize(0), initialize(1)];
 * const control = await scatterNetwork(architecture, [start, collected], { seed: 0, statisticsData });
 * assert.deepEqual([...control.tensors.keys()], [...start.tensors.keys()]);
 * ```
 */
export async function scatterNetwork(
  architecture: Architecture,
  [start, other]: readonly [start: Checkpoint, other: Checkpoint],
  { seed, number = 0, statisticsData, signal }: ScatterNetworkOptions,
): Promise<Checkpoint> {
  const { graph } = architecture;
  const [from, to] = [await bindWeights(graph, start), await bindWeights(graph, other)];
  const tensors = new Map<string, Tensor>(to);
  for (const name of parameterNames(graph)) {
    const { dtype, shape, ...origin } = entry(from, name, "weight");
    const data = origin.data as Float32Array;
    const target = entry(to, name, "weight").data as Float32Array;
    const random = createRandom(seed, `direction ${number} of ${name}`);
    const direction = Float64Array.from(data, () => random.normal());
    const distance = Math.sqrt(target.reduce((sum, value, i) => sum + (value - (data[i] as number)) ** 2, 0));
    const length = Math.sqrt(direction.reduce((sum, value) => sum + value ** 2, 0));
    const moved = direction.map((value, i) => (data[i] as number) + (distance / length) * value);
    tensors.set(name, createTensor(dtype, shape, Float32Array.from(moved)));
  }
  const scattered = createCheckpoint(tensors, {}, `${other.source} in a random direction`);
  if (countBatchNorms(graph) === 0) return scattered;
  const statistics = limitExamples("measure batch norms", statisticsData, STATISTICS_EXAMPLES);
  return recalibrateBatchNorm(architecture, scattered, statistics, { signal });
}
