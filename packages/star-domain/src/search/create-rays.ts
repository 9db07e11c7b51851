import type { Checkpoint } from "@isthmus/core";
import { bindWeights, fingerprintWeights } from "@isthmus/graph";
import type { Blend } from "@isthmus/training";
import { createAnchorAligner } from "./align-anchors.ts";
import { createAnchorCache } from "./anchor-cache.ts";
import type { FindStarOptions, ResolvedFindStarOptions } from "./find-star-options.ts";
import { drawRay } from "./ray.ts";
import type { StarSearch } from "./star-search.ts";

/** Name of the point that is trained. */
export const STAR = "star";
/** Name of the point that is given at every step: the anchor drawn for it. */
const ANCHOR = "anchor";

/**
 * Creates the blend of a search: each step is made at a place that is drawn for it on the segment to an
 * anchor, and anchors are aligned between epochs.
 */
export async function createRays(
  search: StarSearch & { readonly start: Checkpoint },
  { search: options, training }: ResolvedFindStarOptions,
  onProgress: FindStarOptions["onProgress"],
): Promise<Blend> {
  const { graph, anchors, symmetries, start } = search;
  const { memory, restarts, alignEvery, rays, statisticsExamples } = options;
  const cache = createAnchorCache(graph, anchors, memory);
  const aligning =
    symmetries === undefined || alignEvery === 0
      ? undefined
      : createAnchorAligner(
          { ...search, symmetries, cache },
          {
            options,
            training,
            starts: await bindWeights(graph, start),
            star: STAR,
            onProgress,
          },
        );
  return {
    points: [
      { name: STAR, trained: true },
      { name: ANCHOR, trained: false },
    ],
    start: new Map([[STAR, start]]),
    description: {
      anchors: await Promise.all(anchors.map((anchor) => fingerprintWeights(graph, anchor))),
      rays,
      ...(aligning && { alignEvery, restarts, statisticsExamples }),
    },
    async at(step) {
      const { anchor, t } = drawRay(anchors.length, rays, { seed: training.seed, step });
      return { given: new Map([[ANCHOR, await cache.read(anchor)]]), coefficients: [1 - t, t] };
    },
    ...aligning,
  };
}
