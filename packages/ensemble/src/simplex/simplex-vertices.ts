import { assertWholeOptions, type Checkpoint, entry, OutOfRangeError } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, limitExamples, parameterNames } from "@isthmus/graph";
import { countBatchNorms, recalibrateBatchNorm, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { chooseTrainOptions, type TrainResult, trainBlend } from "@isthmus/training";
import type { RepeatedTrainingOptions } from "../repeated-training.ts";
import { flatten } from "./flatten.ts";
import { squaredDistances } from "./height-above.ts";
import { logSimplexVolume } from "./simplex-volume.ts";
import { createVertexBlend, heightsAbove, type Simplex, startNear, VERTEX } from "./vertex-blend.ts";

/** Options of {@link simplexVertices}. */
export interface SimplexVerticesOptions extends Omit<RepeatedTrainingOptions, "freeze"> {
  /** Number of vertices to train, at least 1. @defaultValue 3 */
  readonly members?: number;
  /**
   * Weight of the logarithm of the volume beside the loss, at least 0. @defaultValue 0.01
   */
  readonly volume?: number;
  /**
   * Distance of the start of a new vertex from the mean of the vertices before, in a random direction, as a
   * share of the size of its weights, above 0.
   * @defaultValue 0.01
   */
  readonly spread?: number;
  /**
   * Vertices that an earlier call trained, in their order, which are not trained again.
   * @defaultValue none
   */
  readonly made?: readonly Checkpoint[];
}

/** Defaults of the options of {@link simplexVertices} that `train` does not have. */
export const SIMPLEX_VERTICES_DEFAULTS: Required<
  Pick<SimplexVerticesOptions, "members" | "volume" | "spread" | "made">
> = { members: 3, volume: 0.01, spread: 0.01, made: [] };

/** Trained vertex. */
export interface SimplexVertex {
  /** Weights of the vertex, in memory. */
  readonly network: Checkpoint;
  /**
   * Distances of the vertex from the spaces that each start and the vertices before span, in the order of the
   * starts.
   */
  readonly heights: readonly number[];
  /** Logarithms of the volumes of the simplexes of each start, the vertices before and this vertex. */
  readonly logVolumes: readonly number[];
  /** Record of the training of the vertex. */
  readonly training: TrainResult;
}

const ATTEMPT = "train the vertices of a simplex";

/**
 * Trains the vertices of simplexes of low loss (SPRO) one after another: each step lowers the loss at a place
 * drawn evenly from the simplex of a start, the vertices before and the new one, and moves the new one away
 * from the others, as the logarithm of the volume, weighted by the option `volume`, is maximised beside the
 * loss. If there are several starts, each step draws one: the starts share the new vertices, which connect
 * them. One start gives a simplex around it.
 *
 * The gradient of the volume is applied after each step, without momentum, like decoupled weight decay.
 * Volumes change if units are rescaled, and starts are not aligned: align them first unless new vertices are
 * to connect them without alignment.
 * @param starts - trained networks, which are not changed
 * @returns the new vertices, in memory, as they are made
 * @throws OutOfRangeError if an option is out of its range, or there is no start
 * @throws MismatchError if a start does not fit the graph
 * @throws InputError, UnsupportedError, DivergenceError, EngineError, DOMException as `train`
 * @see Benton et al., Loss surface simplexes for mode connecting volumes and fast ensembling, 2021
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, simplexVertices } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const starts = [initialize(0)]; // a trained network, as a rule
 * const options = { members: 2, seed: 0, epochs: 1, batch: 50 };
 * for await (const { heights } of simplexVertices(architecture, starts, data, options))
 *   assert(heights.every((height) => height > 0));
 * ```
 */
export async function* simplexVertices(
  architecture: Architecture,
  starts: readonly Checkpoint[],
  data: DataSet,
  options: SimplexVerticesOptions,
): AsyncGenerator<SimplexVertex> {
  const { members, volume, spread, made, ...training } = { ...SIMPLEX_VERTICES_DEFAULTS, ...options };
  assertOptions({ members, volume, spread, seed: training.seed }, starts);
  const { graph } = architecture;
  const names = parameterNames(graph);
  const fixed = await Promise.all(starts.map((start) => bindWeights(graph, start)));
  const before = await Promise.all(made.map((vertex) => bindWeights(graph, vertex)));
  const { schedule } = chooseTrainOptions({ graph, data }, training);
  for (let member = made.length; member < members; member++) {
    const simplex: Simplex = { names, starts: fixed, before, volume, schedule, seed: training.seed, member };
    const heights = heightsAbove(simplex);
    const blend = createVertexBlend(simplex, { heights, start: startNear(simplex, spread) });
    const { points, result } = await trainBlend(architecture, blend, data, training);
    const vertex = await withStatistics(architecture, entry(points, VERTEX, "vertex"), data, training.signal);
    const weights = await bindWeights(graph, vertex);
    const place = flatten(weights, names);
    const others = before.map((other) => flatten(other, names));
    yield {
      network: { ...vertex, source: `vertex ${member + 1} of the simplex` },
      heights: heights.map((above) => above(place).height),
      logVolumes: fixed.map((start) =>
        logSimplexVolume(squaredDistances([flatten(start, names), ...others, place])),
      ),
      training: result,
    };
    before.push(weights);
  }
}

/** Measures batch norms of a vertex on the first examples that it was trained on. */
async function withStatistics(
  architecture: Architecture,
  vertex: Checkpoint,
  data: DataSet,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  if (countBatchNorms(architecture.graph) === 0) return vertex;
  const statistics = limitExamples("measure batch norms", data, STATISTICS_EXAMPLES);
  return recalibrateBatchNorm(architecture, vertex, statistics, { signal });
}

function assertOptions(
  {
    members,
    seed,
    volume,
    spread,
  }: { readonly members: number; readonly seed: number; readonly volume: number; readonly spread: number },
  starts: readonly Checkpoint[],
): void {
  assertWholeOptions(ATTEMPT, { members, seed }, { members: 1, seed: 0 });
  if (starts.length === 0)
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as there must be a network to start from: there are none`);
  if (!(volume >= 0 && Number.isFinite(volume))) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "volume" must be a number of at least 0: it is ${volume}`,
    );
  }
  if (spread > 0 && Number.isFinite(spread)) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "spread" must be a number of more than 0: it is ${spread}`);
}
