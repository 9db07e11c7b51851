import type { Representation } from "./representation.ts";

/** Numbers that result from measures of similarity, in the order in which results list them. */
export const SIMILARITY_NUMBERS = [
  "linear-cka",
  "rbf-cka",
  "svcca",
  "pwcca",
  "procrustes",
  "relative-cosine",
  "relative-mrr",
  "relative-jaccard",
] as const;

/** One of {@link SIMILARITY_NUMBERS}. */
export type SimilarityNumber = (typeof SIMILARITY_NUMBERS)[number];

/** Numbers of one pair of representations; null if one of the representations is constant. */
export type Similarities = Readonly<Partial<Record<SimilarityNumber, number | null>>>;

/**
 * Measure of similarity in two parts: `prepare` does the work that depends on one representation only, once
 * for each; `compare` does the work for a pair.
 */
export interface Measure<Form> {
  /** Computes the form of a representation that comparisons need, once for each representation. */
  prepare(representation: Representation): Promise<Form>;
  /**
   * Compares two prepared forms, of a layer of A and of a layer of B, and returns the numbers of the measure.
   */
  compare(a: Form, b: Form): Promise<Similarities>;
}
