import { assertWholeOptions, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { POSITIONS, type Positions } from "./values/value-layout.ts";

/** What can be measured; `relative` gives three numbers. */
export const SIMILARITY_MEASURES = [
  "linear-cka",
  "rbf-cka",
  "svcca",
  "pwcca",
  "procrustes",
  "relative",
] as const;

/** One of {@link SIMILARITY_MEASURES}. */
export type SimilarityMeasure = (typeof SIMILARITY_MEASURES)[number];

/**
 * How CKA is estimated from samples: by the unbiased or the biased HSIC of all of them, or by the unbiased
 * HSIC of blocks, averaged.
 */
export const CKA_ESTIMATORS = ["unbiased", "biased", "minibatch"] as const;

/** One of {@link CKA_ESTIMATORS}. */
export type CkaEstimator = (typeof CKA_ESTIMATORS)[number];

/** Progress of {@link measureSimilarity}. */
export interface SimilarityProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  readonly stage: "activations" | "comparison";
}

/** Options of {@link measureSimilarity}. */
export interface MeasureSimilarityOptions {
  /**
   * Names or labels of values that stand for layers, in which `*` matches any characters; undefined for what
   * layers with weights read and what the graph returns. @defaultValue undefined
   */
  readonly values?: readonly string[] | undefined;
  /** @defaultValue all but `pwcca` */
  readonly measures?: readonly SimilarityMeasure[];
  /** What positions of images and of sequences are. @defaultValue "auto" */
  readonly positions?: Positions;
  /** The most examples, the first ones; 0 for all. @defaultValue 1000 */
  readonly examples?: number;
  /** The most samples, taken at equal distances; 0 for all. @defaultValue 1000 */
  readonly samples?: number;
  /** How CKA is estimated. @defaultValue "unbiased" */
  readonly estimator?: CkaEstimator;
  /** Samples of each block of `minibatch`. @defaultValue 256 */
  readonly block?: number;
  /** Bandwidth of RBF CKA as a share of the median distance. @defaultValue 0.8 */
  readonly bandwidth?: number;
  /** Share of the variance that directions of SVCCA hold, up to 1. @defaultValue 0.99 */
  readonly variance?: number;
  /** Anchors of relative representations, at most half of the samples. @defaultValue 300 */
  readonly anchors?: number;
  /** Nearest neighbours whose Jaccard index is measured. @defaultValue 10 */
  readonly neighbours?: number;
  /** Seed of anchors. @defaultValue 0 */
  readonly seed?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /**
   * File that finished layers are kept in, so that a measurement that was killed goes on to the same numbers.
   * @defaultValue none
   */
  readonly journalPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch and every layer. */
  readonly onProgress?: ((progress: SimilarityProgress) => void) | undefined;
}

/** Defaults of {@link measureSimilarity}. */
export const MEASURE_SIMILARITY_DEFAULTS: Required<MeasureSimilarityOptions> = {
  values: undefined,
  measures: SIMILARITY_MEASURES.filter((name) => name !== "pwcca"),
  positions: "auto",
  examples: 1000,
  samples: 1000,
  estimator: "unbiased",
  block: 256,
  bandwidth: 0.8,
  variance: 0.99,
  anchors: 300,
  neighbours: 10,
  seed: 0,
  batchSize: 100,
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Samples that the unbiased HSIC needs. */
const LEAST_SAMPLES = 4;

/** What messages call the attempt. */
export const ATTEMPT = "measure similarity";

/**
 * Adds defaults to options, and checks them.
 * @throws OutOfRangeError if one is out of range
 */
export function resolveSimilarityOptions(
  options: MeasureSimilarityOptions,
): Required<MeasureSimilarityOptions> {
  const resolved = resolveOptions(ATTEMPT, MEASURE_SIMILARITY_DEFAULTS, options);
  const least = { examples: 0, samples: 0, block: 4, anchors: 1, neighbours: 1, seed: 0, batchSize: 1 };
  assertWholeOptions(ATTEMPT, resolved, least);
  const { measures, positions, estimator, bandwidth, variance } = resolved;
  if (measures.length === 0) throw wrongOption("measures", "name at least one measure", "empty");
  for (const name of measures) assertChoice("measures", SIMILARITY_MEASURES, name);
  assertChoice("positions", POSITIONS, positions);
  assertChoice("estimator", CKA_ESTIMATORS, estimator);
  if (!(bandwidth > 0 && Number.isFinite(bandwidth)))
    throw wrongOption("bandwidth", "be a finite number above 0", bandwidth);
  if (!(variance > 0 && variance <= 1)) throw wrongOption("variance", "be above 0 and at most 1", variance);
  return resolved;
}

/**
 * Checks that there are enough samples for what is measured.
 * @throws OutOfRangeError if there are too few
 */
export function assertSampleCount(
  { estimator, block, neighbours, measures }: Required<MeasureSimilarityOptions>,
  samples: number,
): void {
  const isCka = measures.includes("linear-cka") || measures.includes("rbf-cka");
  const least = Math.max(
    LEAST_SAMPLES,
    measures.includes("relative") ? 2 * (neighbours + 1) : 0,
    isCka && estimator === "minibatch" ? block : 0,
  );
  if (samples >= least) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} by ${measures.join(", ")} as there must be at least ${least} samples: there are ${samples}; take more examples`,
  );
}

function assertChoice(option: string, choices: readonly string[], value: string): void {
  if (!choices.includes(value)) throw wrongOption(option, `be one of ${choices.join(", ")}`, value);
}

function wrongOption(option: string, rule: string, value: unknown): OutOfRangeError {
  return new OutOfRangeError(`Cannot ${ATTEMPT} as "${option}" must ${rule}: it is ${String(value)}`);
}
