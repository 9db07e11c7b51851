import { at, type Checkpoint, createRandom, MismatchError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { holdInMemory, recalibrateBatchNorm } from "@isthmus/statistics";
import { alignTo } from "../align-to.ts";
import { drawPlace, type RayDistribution } from "../search/ray.ts";
import type { PredictorNetworks } from "./predictor-networks.ts";

/** Options of {@link networksOnRays}. */
export interface RayNetworksOptions {
  /** Seed of the order of anchors, of places on rays, and of alignments. */
  readonly seed: number;
  /** Number of networks to draw. */
  readonly members: number;
  /** Distribution of places on the segments between star and anchors. */
  readonly rays: RayDistribution;
  /** Number of searches of each alignment, at least 1. */
  readonly restarts: number;
  /** Examples on which batch norms are measured; needed if the graph has such norms. */
  readonly statisticsData: DataSet | undefined;
  /** Signal that stops alignments and measurements; undefined if they are never stopped. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Draws networks from the segments between a star and its anchors, one after another. Anchors are taken in
 * random order, each once before any is repeated, and aligned to the star; batch norms are measured again.
 * @throws MismatchError if there are batch norms and no data to measure them on
 * @throws OutOfRangeError if there are no anchors
 */
export async function* networksOnRays(
  { graph, engine, star, anchors, symmetries }: Omit<PredictorNetworks, "data">,
  { seed, members, rays, restarts, statisticsData, signal }: RayNetworksOptions,
): AsyncGenerator<Checkpoint> {
  const norms = graph.nodes.some(({ op }) => op === "BatchNormalization");
  if (norms && statisticsData === undefined) {
    throw new MismatchError(
      `Cannot draw networks from the rays of "${star.source}" as batch norms of graph "${graph.name}" must be measured anew on them: there are no examples for it`,
      { parameters: [] },
    );
  }
  const random = createRandom(seed, "rays to average");
  const order = Uint32Array.from(anchors, (_, i) => i);
  for (let member = 0; member < members; member++) {
    const turn = member % anchors.length;
    if (turn === 0) random.shuffleInPlace(order);
    const anchor = at(anchors, at(order, turn, "anchor"), "anchor");
    const aligned =
      symmetries === undefined
        ? anchor
        : await alignTo(star, anchor, { graph, engine, symmetries }, { seed, restarts, signal });
    const network = lerp(star, aligned, drawPlace(random, rays));
    if (statisticsData === undefined || !norms) yield network;
    else {
      const held = await holdInMemory({ graph, engine }, network);
      yield recalibrateBatchNorm({ graph, engine }, held, statisticsData, { signal });
    }
  }
}
