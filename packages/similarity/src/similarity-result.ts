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
  readonly number: SimilarityNumber;
  /** Values of the number, `[layers of A][layers of B]`; null if a layer is constant over the samples. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Similarity of the representations of two networks. */
export interface SimilarityResult {
  readonly kind: "similarity";
  readonly a: string;
  readonly b: string;
  readonly layersA: readonly ComparedLayer[];
  readonly layersB: readonly ComparedLayer[];
  readonly tables: readonly SimilarityTable[];
  /** Treatment of the positions of images and of sequences. */
  readonly positions: Exclude<Positions, "auto">;
  /** Number of samples of every layer. */
  readonly samples: number;
  readonly estimator: CkaEstimator;
  /** Number of samples in each block; absent unless CKA was estimated from blocks. */
  readonly block?: number;
  /** Bandwidth of RBF CKA as a share of the median distance. */
  readonly bandwidth: number;
  /** Share of the variance that directions of SVCCA and PWCCA hold. */
  readonly variance: number;
  readonly anchors: number;
  readonly neighbours: number;
  readonly examples: number;
  readonly data: string;
  readonly seed: number;
  readonly engine: string;
}
