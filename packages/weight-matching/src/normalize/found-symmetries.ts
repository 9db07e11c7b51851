import type { LinearSymmetries, SymmetrySpec } from "@isthmus/symmetry";

/** The symmetries of a graph, by permutation and beyond. */
export interface FoundSymmetries {
  readonly spec: SymmetrySpec;
  readonly linear: LinearSymmetries;
}
