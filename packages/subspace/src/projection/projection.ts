/** Kinds of random matrices. */
export const PROJECTION_KINDS = ["dense", "sparse", "fastfood"] as const;

/**
 * Kind of a random matrix with nearly orthonormal columns: `dense`, normal numbers; `sparse`, signs at a
 * share `1 / sqrt(rows)` of the places; `fastfood`, a product of diagonal matrices, permutations and
 * Walsh-Hadamard transforms.
 */
export type ProjectionKind = (typeof PROJECTION_KINDS)[number];

/** Random matrix `P` `[rows, columns]` with columns of length 1, which is given by its products. */
export interface Projection {
  /** Number of rows: parameters that the matrix maps to. */
  readonly rows: number;
  /** Number of columns: coordinates in the subspace. */
  readonly columns: number;
  /** Writes `P z` into `out` `[rows]`. */
  multiplyInto(z: Float32Array, out: Float32Array): void;
  /** Writes the product of the transpose with `y` `[rows]` into `out` `[columns]`. */
  multiplyTransposedInto(y: Float32Array, out: Float32Array): void;
}

/** Size and seed of a random matrix. */
export interface ProjectionShape {
  /** Number of rows: parameters that the matrix maps to. */
  readonly rows: number;
  /** Number of columns, at most `rows`. */
  readonly columns: number;
  /** Seed from which, with the label, all entries are drawn. */
  readonly seed: number;
  /** Name of the matrix among all matrices of the same seed. */
  readonly label: string;
}
