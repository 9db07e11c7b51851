import {
  BATCH_SIZE_FIELD,
  choiceField,
  examplesField,
  type FieldsOf,
  listField,
  namesField,
  numberField,
  OutOfRangeError,
  resolveFields,
  seedField,
  wholeField,
} from "@isthmus/core";
import { POSITIONS, type Positions } from "./values/value-layout.ts";

/** Measures of similarity; `relative` gives three numbers. */
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
 * Estimators of CKA from samples: by the unbiased or the biased HSIC of all samples, or by the unbiased HSIC
 * of blocks, averaged.
 */
export const CKA_ESTIMATORS = ["unbiased", "biased", "minibatch"] as const;

/** One of {@link CKA_ESTIMATORS}. */
export type CkaEstimator = (typeof CKA_ESTIMATORS)[number];

/** Progress of {@link measureSimilarity}. */
export interface SimilarityProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Part of the work under way: running the networks, or comparing layers. */
  readonly stage: "activations" | "comparison";
}

/** Options of {@link measureSimilarity} that are plain data. */
export interface SimilarityChoice {
  /**
   * Names or labels of values that stand for layers, in which `*` matches any characters.
   * @defaultValue the values that layers with weights read, and the outputs of the graph
   */
  readonly values?: readonly string[] | undefined;
  /** Measures to take. @defaultValue all but `pwcca` */
  readonly measures?: readonly SimilarityMeasure[];
  /** Treatment of the positions of images and of sequences. @defaultValue "auto" */
  readonly positions?: Positions;
  /** Largest number of examples, the first ones; 0 for all. @defaultValue 1000 */
  readonly examples?: number;
  /** Largest number of samples, taken at equal distances; 0 for all. @defaultValue 1000 */
  readonly samples?: number;
  /** Estimator of CKA. @defaultValue "unbiased" */
  readonly estimator?: CkaEstimator;
  /** Number of samples in each block of `minibatch`. @defaultValue 256 */
  readonly block?: number;
  /** Bandwidth of RBF CKA as a share of the median distance. @defaultValue 0.8 */
  readonly bandwidth?: number;
  /** Share of the variance that directions of SVCCA hold, above 0 and up to 1. @defaultValue 0.99 */
  readonly variance?: number;
  /** Number of anchors of relative representations, at most half of the samples. @defaultValue 300 */
  readonly anchors?: number;
  /** Number of nearest neighbours whose Jaccard index is measured. @defaultValue 10 */
  readonly neighbours?: number;
  /** Seed of anchors. @defaultValue 0 */
  readonly seed?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Least number of samples that the unbiased HSIC needs. */
const LEAST_SAMPLES = 4;

/** Fields of {@link SimilarityChoice}. */
export const SIMILARITY_FIELDS: FieldsOf<SimilarityChoice> = {
  values: namesField({
    help: "values that stand for layers, for example 'layers.*' (default: what layers with weights read, and the output)",
  }),
  measures: listField<SimilarityMeasure>(
    { type: "choice", values: SIMILARITY_MEASURES },
    {
      placeholder: "<names>",
      default: SIMILARITY_MEASURES.filter((name) => name !== "pwcca"),
      help: `what is measured, of ${SIMILARITY_MEASURES.join(", ")}`,
    },
  ),
  positions: choiceField<Positions>(POSITIONS, {
    default: "auto",
    help: "what pixels and places in sequences are: features, averaged over, or samples; auto: samples where every value is a sequence of one length",
  }),
  examples: examplesField({
    least: 0,
    default: 1000,
    help: "the most examples, the first ones; 0 for all",
  }),
  samples: examplesField({
    least: 0,
    default: 1000,
    help: "the most samples, taken at equal distances; 0 for all",
  }),
  estimator: choiceField<CkaEstimator>(CKA_ESTIMATORS, {
    placeholder: "<name>",
    default: "unbiased",
    help: "how CKA is estimated: by HSIC of all samples, unbiased or biased, or by unbiased HSIC of blocks",
  }),
  block: wholeField({
    least: LEAST_SAMPLES,
    default: 256,
    help: "samples of each block of the estimator minibatch",
  }),
  bandwidth: numberField({
    above: 0,
    default: 0.8,
    help: "bandwidth of rbf-cka, as a share of the median distance",
  }),
  variance: numberField({
    above: 0,
    most: 1,
    default: 0.99,
    help: "share of the variance that directions of svcca and pwcca hold",
  }),
  anchors: wholeField({ least: 1, default: 300, help: "anchors of relative representations" }),
  neighbours: wholeField({
    least: 1,
    default: 10,
    help: "nearest neighbours that relative representations are compared by",
  }),
  seed: seedField("seed of anchors"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link measureSimilarity}. */
export interface MeasureSimilarityOptions extends SimilarityChoice {
  /**
   * File in which finished layers are stored, so that a measurement that was killed resumes, to the same
   * numbers.
   * @defaultValue none
   */
  readonly journalPath?: string | undefined;
  /** Signal that stops the measurement; finished layers stay in the journal. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch and every layer. */
  readonly onProgress?: ((progress: SimilarityProgress) => void) | undefined;
}

/** Words for the attempt in error messages. */
export const ATTEMPT = "measure similarity";

const RUN_DEFAULTS: Required<Omit<MeasureSimilarityOptions, keyof SimilarityChoice>> = {
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options, and checks them.
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveSimilarityOptions(
  options: MeasureSimilarityOptions,
): Required<MeasureSimilarityOptions> {
  return resolveFields(ATTEMPT, SIMILARITY_FIELDS, options, RUN_DEFAULTS);
}

/**
 * Checks that there are enough samples for the measures.
 * @throws OutOfRangeError if there are too few samples
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
