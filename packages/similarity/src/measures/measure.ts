import type { Representation } from "./representation.ts";

/** Numbers that measures of similarity give, in the order in which results list them. */
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

/** Numbers of one pair of representations; null where one of them does not vary. */
export type Similarities = Readonly<Partial<Record<SimilarityNumber, number | null>>>;

/** A way to compare representations, in two parts: what needs one of them alone is done once for each. */
export interface Measure<Form> {
  prepare(representation: Representation): Promise<Form>;
  compare(a: Form, b: Form): Promise<Similarities>;
}
