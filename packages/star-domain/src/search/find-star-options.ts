import { assertWholeOptions, resolveOptions } from "@isthmus/core";
import type { TrainOptions, TrainProgress } from "@isthmus/training";
import { assertDistribution, type RayDistribution } from "./ray.ts";

/** How far {@link findStar} has got. */
export type FindStarProgress =
  | TrainProgress
  | {
      readonly phase: "aligning";
      /** The epoch that anchors are aligned for, from 0. */
      readonly epoch: number;
      /** Anchors aligned, of {@link anchors}. */
      readonly aligned: number;
      readonly anchors: number;
    }
  | { readonly phase: "measuring statistics" };

/** What is the search's own among the options of `findStar`. */
interface SearchOptions {
  /** How places on the segments to anchors are drawn. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /** Epochs after which anchors are aligned to the star anew, the first included; 0 for never. @defaultValue 1 */
  readonly alignEvery?: number;
  /** Searches of each alignment, at least 1. @defaultValue 1 */
  readonly restarts?: number;
  /** Bytes of anchors to hold in memory; the others are read again when it is their turn. @defaultValue 1 GiB */
  readonly memory?: number;
  /** Examples, the first ones, on which batch norms are measured before alignments and at the end. @defaultValue 10000 */
  readonly statisticsExamples?: number;
}

/** Options of `findStar`: those of training, of which `onProgress` tells more, and how to search. */
export interface FindStarOptions extends Omit<TrainOptions, "onProgress" | "onEpoch">, SearchOptions {
  /** Called after every step, and while anchors are aligned. */
  readonly onProgress?: ((progress: FindStarProgress) => void) | undefined;
}

/** Defaults of `findStar` beside those of `train`. */
export const FIND_STAR_DEFAULTS: Required<SearchOptions> = {
  rays: "uniform",
  alignEvery: 1,
  restarts: 1,
  memory: 2 ** 30,
  statisticsExamples: 10_000,
};

/** The options of the search and those of training, apart. */
export interface ResolvedFindStarOptions {
  readonly search: Required<SearchOptions>;
  readonly training: Omit<TrainOptions, "onProgress" | "onEpoch">;
}

/**
 * Tells the options of the search from those of training, and checks the former.
 * @throws TypeError if a distribution is unknown
 * @throws RangeError if a number is out of its range
 */
export function resolveFindStarOptions(options: FindStarOptions): ResolvedFindStarOptions {
  const { rays, alignEvery, restarts, memory, statisticsExamples, onProgress: _, ...training } = options;
  const search = resolveOptions("find a star", FIND_STAR_DEFAULTS, {
    rays,
    alignEvery,
    restarts,
    memory,
    statisticsExamples,
  });
  assertDistribution("find a star", search.rays);
  assertWholeOptions("find a star", search, { alignEvery: 0, restarts: 1, memory: 1, statisticsExamples: 1 });
  return { search, training };
}
