import { assertWholeOptions, type Checkpoint, createRandom, drawDirichlet } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import {
  countBatchNorms,
  holdInMemory,
  recalibrateBatchNorm,
  STATISTICS_EXAMPLES,
} from "@isthmus/statistics";

/** Options of {@link networksOnSimplex}. */
export interface NetworksOnSimplexOptions {
  /** Seed of the places on the simplex. */
  readonly seed: number;
  /** Number of networks to draw, at least 1. */
  readonly members: number;
  /** Examples on which batch norms are measured again. */
  readonly statisticsData: DataSet;
  /** Signal that stops the drawing between two networks. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Draws networks uniformly from the simplex of the given networks, one after another, by the seed; the batch
 * norms of each are measured again.
 * @throws OutOfRangeError if there are no vertices, or an option is out of its range
 * @throws MismatchError if vertices have other weights than the first
 */
export async function* networksOnSimplex(
  { graph, engine }: Architecture,
  vertices: readonly Checkpoint[],
  { seed, members, statisticsData, signal }: NetworksOnSimplexOptions,
): AsyncGenerator<Checkpoint> {
  assertWholeOptions("draw networks from a simplex", { members, seed }, { members: 1, seed: 0 });
  const alphas = vertices.map(() => 1);
  const statistics = limitExamples("measure batch norms", statisticsData, STATISTICS_EXAMPLES);
  for (let member = 0; member < members; member++) {
    signal?.throwIfAborted();
    const shares = drawDirichlet(alphas, createRandom(seed, `place ${member} on a simplex`));
    const network = await holdInMemory({ graph, engine }, average(vertices, [...shares]));
    yield countBatchNorms(graph) === 0
      ? network
      : recalibrateBatchNorm({ graph, engine }, network, statistics, { signal });
  }
}
