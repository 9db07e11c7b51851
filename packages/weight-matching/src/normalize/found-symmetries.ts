import type { LinearSymmetries, SymmetrySpec } from "@isthmus/symmetry";

/** The symmetries of a graph, by permutation and beyond. */
export interface FoundSymmetries {
  /** Permutation symmetries. */
  readonly spec: SymmetrySpec;
  /** Scale, sign and rotation symmetries. */
  readonly linear: LinearSymmetries;
}
