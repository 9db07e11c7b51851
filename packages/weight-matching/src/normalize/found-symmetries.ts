import type { LinearSymmetries, SymmetrySpec } from "@isthmus/symmetry";

/** The symmetries of a graph, by permutation and beyond. */
export interface FoundSymmetries {
  /** Permutation symmetries, and the layout of each weight. */
  readonly spec: SymmetrySpec;
  /** Scale, sign and rotation symmetries, beyond permutation. */
  readonly linear: LinearSymmetries;
}
