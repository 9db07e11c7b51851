import { at, innerProduct, sumOf } from "@isthmus/core";
import { createMatrix, type Matrix, type MatrixProducts, symmetricEigen } from "@isthmus/linear-algebra";

/** Matrix of one tensor's curvature, which has a basis of products of vectors. */
export interface KroneckerBlock {
  /** Index in the whole vector of the tensor's first element. */
  readonly offset: number;
  /** Rows of the tensor as a matrix, which the left factor is of. */
  readonly rows: number;
  /** Columns of the tensor as a matrix, which the right factor is of. */
  readonly columns: number;
  /** Computes the product with the block of a vector, `[rows * columns]`. */
  readonly apply: (part: Float64Array) => Promise<Float64Array>;
  /** Computes the product with a function of the block, which changes its eigenvalues. */
  readonly applyFunction: (part: Float64Array, of: (eigenvalue: number) => number) => Promise<Float64Array>;
  /** Returns the eigenvalues, in the order of the products of vectors. */
  readonly eigenvalues: () => Float64Array;
  /** Sum of the eigenvalues. */
  readonly trace: number;
  /** Sum of the squares of the eigenvalues. */
  readonly square: number;
}

/** Place of a block in the whole vector, and its multiplier of matrices. */
export interface BlockPlace extends Pick<KroneckerBlock, "offset" | "rows" | "columns"> {
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
}

/** Eigenvectors of both factors, in columns. */
export interface FactorVectors {
  /** Eigenvectors of the left factor. */
  readonly left: Matrix;
  /** Eigenvectors of the right factor. */
  readonly right: Matrix;
}

/**
 * Creates the block of two factors, `left (x) right`, whose eigenvectors are computed once they are needed.
 */
export function factorBlock(place: BlockPlace, left: Matrix, right: Matrix): KroneckerBlock {
  let spectral: KroneckerBlock | undefined;
  const decompose = (): KroneckerBlock => {
    const [ofLeft, ofRight] = [symmetricEigen(left), symmetricEigen(right)];
    const values = new Float64Array(place.rows * place.columns).map(
      (_, i) =>
        // Factors have no negative eigenvalues but by rounding.
        Math.max(0, at(ofLeft.values, Math.floor(i / place.columns), "eigenvalue")) *
        Math.max(0, at(ofRight.values, i % place.columns, "eigenvalue")),
    );
    spectral = spectralBlock(place, { left: ofLeft.vectors, right: ofRight.vectors }, values);
    return spectral;
  };
  const { rows, columns, products } = place;
  return {
    ...place,
    async apply(part) {
      const inRows = await products.multiply(left, createMatrix(rows, columns, part));
      return (await products.multiply(inRows, right)).data as Float64Array;
    },
    applyFunction: (part, of) => (spectral ?? decompose()).applyFunction(part, of),
    eigenvalues: () => (spectral ?? decompose()).eigenvalues(),
    trace: diagonalSum(left) * diagonalSum(right),
    square: squareSum(left) * squareSum(right),
  };
}

/**
 * Creates the block of given eigenvalues, `[rows, columns]`, for the products of two factors' eigenvectors.
 */
export function spectralBlock(
  place: BlockPlace,
  { left, right }: FactorVectors,
  values: Float64Array,
): KroneckerBlock {
  const { rows, columns, products } = place;
  const applyFunction: KroneckerBlock["applyFunction"] = async (part, of) => {
    const inLeft = await products.multiply(left, createMatrix(rows, columns, part), { transposeLeft: true });
    const inBoth = await products.multiply(inLeft, right);
    const scaled = (inBoth.data as Float64Array).map((x, i) => x * of(at(values, i, "eigenvalue")));
    const back = await products.multiply(left, createMatrix(rows, columns, scaled));
    return (await products.multiply(back, right, { transposeRight: true })).data as Float64Array;
  };
  return {
    ...place,
    apply: (part) => applyFunction(part, (x) => x),
    applyFunction,
    eigenvalues: () => values,
    trace: sumOf(values),
    square: innerProduct(values, values),
  };
}

const diagonalSum = ({ rows, columns, data }: Matrix): number =>
  sumOf(Float64Array.from({ length: rows }, (_, i) => at(data, i * (columns + 1), "element")));

const squareSum = ({ data }: Matrix): number => innerProduct(data as Float64Array, data as Float64Array);
