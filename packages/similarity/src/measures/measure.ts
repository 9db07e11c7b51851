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
  prepare(representation: Representation): Promise<Form>;
  compare(a: Form, b: Form): Promise<Similarities>;
}
