import type { MatrixProducts } from "@isthmus/linear-algebra";

/** Part of a vector that belongs to one tensor. */
export interface OperatorTensor {
  /** Name of the tensor. */
  readonly name: string;
  /** Shape of the tensor, whose elements lie in the vector in row-major order. */
  readonly shape: readonly number[];
  /** Index in the vector of the tensor's first element. */
  readonly offset: number;
}

/** Symmetric matrix that is given by its products with vectors. */
export interface LinearOperator {
  /** Number of rows of the matrix; it has as many columns. */
  readonly dimension: number;
  /** Tensors that a vector consists of, one after another, each in row-major order. */
  readonly layout: readonly OperatorTensor[];
  /**
   * Computes the product with a vector into `out`.
   * @param vector - `[dimension]`; it is not changed
   * @param out - `[dimension]`, another array than `vector`; overwritten
   */
  readonly apply: (vector: Float64Array, out: Float64Array) => Promise<void>;
  /**
   * Multiplier by which many vectors are made orthogonal at once. @defaultValue `plainProducts` of
   * `@isthmus/linear-algebra`
   */
  readonly products?: MatrixProducts | undefined;
  /** Numbers of the matrix that are known without products; missing if they are not known. */
  readonly closedForm?: ClosedForm;
}

/** Numbers of a matrix that are known in closed form, and its inverse. */
export interface ClosedForm {
  /** Sum of all eigenvalues. */
  readonly trace: number;
  /** Square root of the sum of the squares of all elements. */
  readonly frobeniusNorm: number;
  /** Returns all eigenvalues, falling. */
  readonly eigenvalues: () => Float64Array;
  /** Returns the logarithm of the determinant once a number is added to the diagonal. */
  readonly logDeterminant: (damping: number) => number;
  /** Computes the product of a vector with the inverse once a number is added to the diagonal. */
  readonly applyInverse: (vector: Float64Array, out: Float64Array, damping: number) => Promise<void>;
}

/** Progress of a computation by products with an operator. */
export interface ProductProgress {
  /** Share of the work that is done, in `[0, 1]`; it may end before all products are made. */
  readonly done: number;
  /** Products made so far, at most `total`. */
  readonly completed: number;
  /** Largest number of products that the computation makes. */
  readonly total: number;
}

/** Options of all computations by products with an operator. */
export interface ProductOptions {
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
  /** Signal that stops the computation between two products. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after every product. */
  readonly onProgress?: ((progress: ProductProgress) => void) | undefined;
}

/** Defaults of {@link ProductOptions}. */
export const PRODUCT_DEFAULTS: Required<ProductOptions> = {
  seed: 0,
  signal: undefined,
  onProgress: undefined,
};
