import type { LinearSymmetries, SymmetrySpec } from "@isthmus/symmetry";

/** The symmetries of a graph, by permutation and beyond. */
export interface FoundSymmetries {
  /** Permutation symmetries, and the layout of each weight. */
  readonly spec: SymmetrySpec;
  /** The same with parts that change places, such as experts; absent if there are none. */
  readonly whole?: SymmetrySpec | undefined;
  /** Scale, sign and rotation symmetries, beyond permutation. */
  readonly linear: LinearSymmetries;
}
