import type { SimilarityNumber } from "./measures/measure.ts";
import type { CkaEstimator } from "./similarity-options.ts";
import type { Positions } from "./values/value-layout.ts";

/** A value of a network that was compared. */
export interface ComparedLayer {
  /** Name in the graph. */
  readonly name: string;
  /** Short name, unique in the graph. */
  readonly label: string;
  /** Features of each sample. */
  readonly features: number;
}

/** One number of every layer of A with every layer of B. */
export interface SimilarityTable {
  readonly number: SimilarityNumber;
  /** `[layers of A][layers of B]`; null where a value does not vary. */
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
  /** What positions of images and of sequences were. */
  readonly positions: Exclude<Positions, "auto">;
  /** Samples of every layer. */
  readonly samples: number;
  readonly estimator: CkaEstimator;
  /** Samples of each block; absent unless CKA was estimated from blocks. */
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
