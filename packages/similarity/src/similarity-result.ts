import type { SimilarityNumber } from "./measures/measure.ts";
import type { CkaEstimator } from "./similarity-options.ts";
import type { Positions } from "./values/value-layout.ts";

/** Value of a network that was compared. */
export interface ComparedLayer {
  /** Name of the value in the graph. */
  readonly name: string;
  /** Short name of the value, unique in the graph. */
  readonly label: string;
  /** Number of features of each sample. */
  readonly features: number;
}

/** One number of every layer of A with every layer of B. */
export interface SimilarityTable {
  /** Name of the number, such as `linear-cka`. */
  readonly number: SimilarityNumber;
  /** Values of the number, `[layers of A][layers of B]`; null if a layer is constant over the samples. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Similarity of the representations of two networks. */
export interface SimilarityResult {
  /** Tag of results of this measurement. */
  readonly kind: "similarity";
  /** Source of network A, usually the path of its checkpoint. */
  readonly a: string;
  /** Source of network B, usually the path of its checkpoint. */
  readonly b: string;
  /** Compared layers of A, the rows of every table. */
  readonly layersA: readonly ComparedLayer[];
  /** Compared layers of B, the columns of every table. */
  readonly layersB: readonly ComparedLayer[];
  /** Tables of the measured numbers, one for each number, in the order of `SIMILARITY_NUMBERS`. */
  readonly tables: readonly SimilarityTable[];
  /** Treatment of the positions of images and of sequences. */
  readonly positions: Exclude<Positions, "auto">;
  /** Number of samples of every layer. */
  readonly samples: number;
  /** Estimator by which CKA was computed. */
  readonly estimator: CkaEstimator;
  /** Number of samples in each block; absent unless CKA was estimated from blocks. */
  readonly block?: number;
  /** Bandwidth of RBF CKA as a share of the median distance. */
  readonly bandwidth: number;
  /** Share of the variance that directions of SVCCA and PWCCA hold. */
  readonly variance: number;
  /**
   * Number of anchors that relative representations had: the requested number, or half of the samples if
   * these are fewer.
   */
  readonly anchors: number;
  /** Number of nearest neighbours whose Jaccard index was measured. */
  readonly neighbours: number;
  /** Number of examples on which both networks ran. */
  readonly examples: number;
  /** Name of the data set, with its selection of examples. */
  readonly data: string;
  /** Seed by which the anchors of relative representations were drawn. */
  readonly seed: number;
  /** Name of the engine on which network A ran. */
  readonly engine: string;
}
