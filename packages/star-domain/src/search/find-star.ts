import {
  assertSameStructure,
  type Checkpoint,
  createCheckpoint,
  entry,
  InputError,
  type Tensor,
} from "@isthmus/core";
import { assertNetwork, bindWeights, type DataSet, fingerprintWeights } from "@isthmus/graph";
import { holdInMemory } from "@isthmus/statistics";
import { type Blend, TRAIN_DEFAULTS, type TrainResult, trainBlend } from "@isthmus/training";
import { createAnchorAligner } from "./align-anchors.ts";
import { createAnchorCache } from "./anchor-cache.ts";
import { chooseStart, type TriedStart } from "./choose-start.ts";
import {
  type FindStarOptions,
  type ResolvedFindStarOptions,
  resolveFindStarOptions,
} from "./find-star-options.ts";
import { measureNorms } from "./measure-norms.ts";
import { drawRay, type RayDistribution } from "./ray.ts";
import type { StarArchitecture, StarSearch } from "./star-search.ts";

/** Results of {@link findStar}, as plain data. */
export interface FindStarResult extends TrainResult {
  /** Sources of the anchors. */
  readonly anchors: readonly string[];
  /** Distribution of places on the segments between star and anchors. */
  readonly rays: RayDistribution;
  /** Number of epochs from one alignment of the anchors to the next; 0 if anchors were never aligned. */
  readonly alignEvery: number;
  /** Number of searches of each alignment. */
  readonly restarts: number;
  /** Source of the network at which the star started. */
  readonly start: string;
  /** Every start that was tried, in order; missing if there was one. */
  readonly tried?: readonly TriedStart[];
}

/** Star network, and the result of the search that found it. */
export interface FoundStar {
  /**
   * Weights of the star, in the order of the graph, and the integer tensors of the network from which it
   * started, such as counters of batches, so that it has the structure of the anchors; in memory.
   */
  readonly star: Checkpoint;
  /** Options and course of the search, as plain data. */
  readonly result: FindStarResult;
}

/**
 * Finds a star: a network that is connected to all anchors by straight segments of low loss.
 *
 * The search minimises the mean of `L((1 - t) star + t anchor)` over anchors and places `t`. Each step draws
 * one anchor and one `t`; the interpolation is part of the step's graph, and the star gets its share `1 - t`
 * of the gradient. Anchors are aligned to the star by weight matching before every `alignEvery`-th epoch.
 * Batch norms use the statistics of the batch, and the star's running statistics are measured again, on the
 * first examples, before alignments and at the end.
 *
 * With several `starts`, each is searched from for a tenth of the epochs, with the same draws, and the search
 * begins anew at the one whose last epoch had the lowest loss. Narrow networks have many minima, and means of
 * the anchors that are aligned to different ones lead to different minima.
 *
 * States hold the alignments and the losses of tried starts, too: a search that was stopped and resumes ends
 * with the same bytes. Trials themselves have no states.
 *
 * The search differs from the authors' code in three ways: anchors are aligned regularly, by default before
 * every epoch, instead of never; a star may start from the mean of its anchors; batch norms are measured
 * exactly, not by moving averages.
 * @see Sonthalia, Rubinstein, Abbasnejad and Oh, Do deep neural network solutions form a star domain?, 2024,
 *   section 4
 * @throws InputError if there are fewer than two anchors, or data do not fit
 * @throws MismatchError if an anchor or the start does not fit the graph, or a state is of another search
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of its range
 * @throws FormatError, UnsupportedError, DivergenceError, EngineError, DOMException as `train` of
 *   `@isthmus/training`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, findStar } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const symmetries = await discoverSymmetries(architecture);
 * const anchors = [0, 1, 2].map(initialize); // trained ones, as a rule
 * const { star } = await findStar({ ...architecture, symmetries }, anchors, data, { seed: 0, epochs: 1 });
 * assert.equal(star.tensors.size, graph.weights.size);
 * ```
 */
export async function findStar(
  { graph, engine, symmetries }: StarArchitecture,
  anchors: readonly Checkpoint[],
  data: DataSet,
  { start: from, ...options }: FindStarOptions,
): Promise<FoundStar> {
  const resolved = resolveFindStarOptions(options);
  const search: StarSearch = { graph, engine, symmetries, anchors, data, start: from };
  assertAnchors(search);
  const { seed, onProgress } = options;
  const { start, tried, kept } = await chooseStart(search, resolved, (candidate, index) =>
    tryStart({ ...search, start: candidate }, resolved, { index, onProgress }),
  );
  const rays = await createRays({ ...search, start }, resolved, { kept, onProgress });
  const { points, result } = await trainBlend({ graph, engine }, rays, data, {
    ...resolved.training,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  onProgress?.({ phase: "measuring statistics", done: 0 });
  const { statisticsExamples: examples } = resolved.search;
  const star = await holdInMemory({ graph, engine }, entry(points, STAR, "trained point"));
  const measured = await measureNorms({ ...search, examples, signal: options.signal }, star);
  const weights = await bindWeights(graph, measured);
  const { rays: distribution, alignEvery, restarts } = resolved.search;
  return {
    star: createCheckpoint(await withCounters(weights, start), {}, "star"),
    result: {
      ...result,
      anchors: anchors.map(({ source }) => source),
      rays: distribution,
      alignEvery: search.symmetries === undefined ? 0 : alignEvery,
      restarts,
      start: start.source,
      ...(tried.length > 0 && { tried }),
      seed,
    },
  };
}

/** Adds the tensors of a network that the graph does not read, such as counters of batches. */
async function withCounters(
  weights: ReadonlyMap<string, Tensor>,
  start: Checkpoint,
): Promise<ReadonlyMap<string, Tensor>> {
  const tensors = new Map(weights);
  for (const name of start.tensors.keys()) {
    if (!tensors.has(name)) tensors.set(name, await start.read(name));
  }
  return tensors;
}

function assertAnchors({ graph, anchors, start }: StarSearch): void {
  const [first] = anchors;
  if (first === undefined || anchors.length < 2) {
    throw new InputError(
      `Cannot find a star of graph "${graph.name}" as there must be at least two anchors: there ${anchors.length === 1 ? "is 1" : "are none"}`,
      { input: first?.source ?? "anchors" },
    );
  }
  for (const anchor of anchors) {
    assertNetwork(graph, anchor);
    assertSameStructure(first, anchor);
  }
  if (start !== undefined) assertNetwork(graph, start);
}

/** Number of trials of a start that take as many epochs as a search. */
const TRIALS = 10;

/** Searches from a start for a part of the epochs, and returns the loss of the last one. */
async function tryStart(
  search: Started,
  resolved: ResolvedFindStarOptions,
  { index, onProgress }: Pick<FindStarOptions, "onProgress"> & { readonly index: number },
): Promise<number> {
  const { training, search: options } = resolved;
  const { starts } = options;
  const rays = await createRays(search, resolved, {});
  const { result } = await trainBlend(search, rays, search.data, {
    ...training,
    epochs: Math.ceil((training.epochs ?? TRAIN_DEFAULTS.epochs) / TRIALS),
    statePath: undefined,
    resume: false,
    saveEvery: 0,
    onProgress: ({ done }) =>
      onProgress?.({ phase: "trying starts", done: (index + done) / starts, start: index, starts }),
  });
  return result.loss;
}

/** Search whose start is decided. */
type Started = StarSearch & { readonly start: Checkpoint };

/** Name of the point that is trained. */
const STAR = "star";
/** Name of the point that is not trained: the anchor that is drawn for each step. */
const ANCHOR = "anchor";

/**
 * Creates the blend of a search: each step is made at a place that is drawn for it on the segment to an
 * anchor, and anchors are aligned between epochs.
 */
async function createRays(
  search: Started,
  { search: options, training }: ResolvedFindStarOptions,
  { kept = new Map(), onProgress }: Pick<Blend, "kept"> & Pick<FindStarOptions, "onProgress">,
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
    kept: new Map([...kept, ...(aligning?.kept ?? [])]),
  };
}
