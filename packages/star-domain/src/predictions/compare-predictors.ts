import { BATCH_SIZE_FIELD, type Checkpoint, type FieldsOf, resolveFields, wholeField } from "@isthmus/core";
import {
  createJudge,
  type JudgedPredictor,
  MOST_MEMBERS,
  meanQuality,
  type Predictor,
} from "@isthmus/ensemble";
import type { DataSet } from "@isthmus/graph";
import { JUDGING_RESTARTS_FIELD } from "../align-to.ts";
import { RAYS_FIELD, type RayDistribution } from "../search/ray.ts";
import type { StarArchitecture } from "../search/star-search.ts";
import type { StarResult } from "../star-result.ts";
import { networksOnRays } from "./networks-on-rays.ts";
import type { PredictorNetworks } from "./predictor-networks.ts";

/** Options of {@link comparePredictors} that are plain data. */
export interface ComparePredictorsChoice {
  /**
   * Number of networks on rays, at least 1; the rays of all anchors are used equally often.
   * @defaultValue as many as anchors
   */
  readonly members?: number;
  /** Distribution of places on rays. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /** Number of searches of each alignment, at least 1. @defaultValue 4 */
  readonly restarts?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link ComparePredictorsChoice}. */
export const COMPARE_PREDICTORS_FIELDS: FieldsOf<ComparePredictorsChoice> = {
  members: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    help: "number of networks on rays whose predictions are averaged (default: the number of anchors)",
  }),
  rays: RAYS_FIELD,
  restarts: JUDGING_RESTARTS_FIELD,
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link comparePredictors}. */
export interface ComparePredictorsOptions extends ComparePredictorsChoice {
  /**
   * Examples of other data, for which a predictor should have low confidence; their labels are not used.
   * @defaultValue none
   */
  readonly outOfDistribution?: DataSet | undefined;
  /** Seed of rays and of places on them, and of alignments. */
  readonly seed: number;
  /**
   * Examples on which batch norms between star and anchors are measured; needed if there are such norms.
   * @defaultValue none
   */
  readonly statisticsData?: DataSet | undefined;
  /** Signal that stops the comparison. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

const RUN_DEFAULTS: Required<Pick<ComparePredictorsOptions, "statisticsData" | "signal" | "onProgress">> = {
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Qualities of predictors, as part of a star's result. */
export type PredictorComparison = NonNullable<StarResult["predictions"]>;

/**
 * Compares ways to predict: by the star alone, by the mean over networks drawn from its rays (Bayesian model
 * averaging, with the star domain as the posterior), by a deep ensemble of the anchors, and by single
 * anchors, whose qualities are averaged.
 *
 * @see Sonthalia et al. 2024, section 6.1; this implementation draws places on rays, the authors use the
 *   midpoints
 * @throws InputError if the data do not fit the graph
 * @throws MismatchError if a network does not fit the graph, or a label is not a class
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of its range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { comparePredictors, createOnnxRuntimeEngine, discoverSymmetries } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const symmetric = { ...architecture, symmetries: await discoverSymmetries(architecture) };
 * const [star = initialize(0), ...anchors] = [0, 1, 2].map(initialize); // as findStar found it, as a rule
 * const { predictors } = await comparePredictors(symmetric, { star, anchors }, data, { seed: 0 });
 * assert.deepEqual(predictors.map(({ name }) => name).slice(0, 2), ["star", "rays of the star"]);
 * ```
 */
export async function comparePredictors(
  { graph, engine, symmetries }: StarArchitecture,
  { star, anchors }: { readonly star: Checkpoint; readonly anchors: readonly Checkpoint[] },
  data: DataSet,
  { outOfDistribution, ...options }: ComparePredictorsOptions,
): Promise<PredictorComparison> {
  const networks: PredictorNetworks = { graph, engine, symmetries, star, anchors, data, outOfDistribution };
  const { seed, members = anchors.length, ...others } = options;
  const chosen = resolveFields(
    "compare predictors",
    COMPARE_PREDICTORS_FIELDS,
    { ...others, members },
    RUN_DEFAULTS,
  );
  const resolved = { ...chosen, seed, members };
  const total = 1 + members + anchors.length;
  let completed = 0;
  const judge = createJudge(
    { graph, engine, data, others: outOfDistribution === undefined ? [] : [outOfDistribution] },
    {
      batchSize: resolved.batchSize,
      signal: resolved.signal,
      onNetwork: () => resolved.onProgress?.({ done: ++completed / total }),
    },
  );
  const alone = await judge("star", [networks.star]);
  const rays = await judge("rays of the star", networksOnRays(networks, resolved));
  const { predictor: ensemble, singles } = await judge("deep ensemble", anchors);
  const single = { name: "single networks", members: 1, ...meanQuality(singles), reliability: [] };
  return {
    predictors: [alone.predictor, rays.predictor, ensemble, single].map(withOneOther),
    data: data.name,
    examples: data.size,
    ...(outOfDistribution && {
      outOfDistribution: { data: outOfDistribution.name, examples: outOfDistribution.size },
    }),
  };
}

/**
 * Converts a judged predictor to a predictor with one area against other data, or without an area if there
 * are no other data.
 */
function withOneOther({ aurocOthers: [area], reliability: _, ...predictor }: JudgedPredictor): Predictor {
  return area === undefined || Number.isNaN(area)
    ? predictor
    : { ...predictor, aurocOutOfDistribution: area };
}
