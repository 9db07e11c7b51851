import {
  largestEigenvectors,
  type Matrix,
  type MatrixProducts,
  plainProducts,
  sliceColumns,
} from "@isthmus/linear-algebra";
import { centreColumns, centreGram } from "./centre.ts";

/**
 * Number of columns whose products are added up at once, so that few columns of a wide matrix are in f64 at a
 * time.
 */
const CHUNK = 2048;

/**
 * Share of the largest singular value below which others count as rounding errors, of activations or of Gram
 * matrices.
 */
const LOST = 1e-6;

/** Singular values and left singular vectors of samples with the mean of all subtracted. */
export interface Spectrum {
  /** Left singular vectors, orthonormal, `[samples, rank]`. */
  readonly left: Matrix;
  /** Singular values, falling, `[rank]`. */
  readonly values: Float64Array;
}

/**
 * Samples of one value in the forms that measures of similarity need, which are invariant to rotations of
 * features.
 */
export interface Representation {
  /** Number of samples, the rows of the value. */
  readonly samples: number;
  /** Number of features of each sample, the columns of the value. */
  readonly features: number;
  /** Computes scalar products of every two samples, `[samples, samples]`, f64. */
  gram(): Promise<Matrix>;
  /** Computes singular values and left vectors of the centred samples, once. */
  spectrum(): Promise<Spectrum>;
  /** Returns centred samples up to a rotation, with at most as many features as samples. */
  centred(): Promise<Matrix>;
  /** Functions that multiply matrices, with which measures compare this representation to others. */
  readonly products: MatrixProducts;
}

/**
 * Makes a representation of the samples of a value, `[samples, features]`. If there are more features than
 * samples, only the Gram matrix of the samples is held.
 */
export async function createRepresentation(
  rows: Matrix,
  products: MatrixProducts = plainProducts,
): Promise<Representation> {
  const isWide = rows.columns > rows.rows;
  const size = { samples: rows.rows, features: rows.columns };
  return isWide
    ? wideRepresentation(await gramOfRows(rows, products), size, products)
    : narrowRepresentation(rows, size, products);
}

type Size = Pick<Representation, "samples" | "features">;

function narrowRepresentation(rows: Matrix, size: Size, products: MatrixProducts): Representation {
  const spectrum = once(async () => {
    const centred = centreColumns(rows);
    const covariance = await products.multiply(centred, centred, { transposeLeft: true });
    const { values, vectors } = await eigenOf(covariance, products);
    const left = await products.multiply(centred, vectors);
    scaleColumns(left, (j) => 1 / (values[j] as number));
    return { left, values };
  });
  return {
    ...size,
    gram: () => gramOfRows(rows, products),
    spectrum,
    centred: async () => centreColumns(rows),
    products,
  };
}

function wideRepresentation(gram: Matrix, size: Size, products: MatrixProducts): Representation {
  const spectrum = once(async () => {
    const { values, vectors } = await eigenOf(centreGram(gram), products);
    return { left: vectors, values };
  });
  return {
    ...size,
    gram: async () => gram,
    spectrum,
    async centred() {
      const { left, values } = await spectrum();
      const scaled = { ...left, data: left.data.slice() };
      scaleColumns(scaled, (j) => values[j] as number);
      return scaled;
    },
    products,
  };
}

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= compute();
    return result;
  };
}

/**
 * Returns eigenvectors of a Gram matrix with the roots of their eigenvalues, without those lost in rounding
 * errors.
 */
async function eigenOf(
  gram: Matrix,
  products: MatrixProducts,
): Promise<{ readonly values: Float64Array; readonly vectors: Matrix }> {
  const { values, vectors } = await largestEigenvectors(gram, gram.rows, products);
  const least = LOST ** 2 * (values[0] ?? Number.NaN);
  const rank = values.filter((value) => value > 0 && value >= least).length;
  return { values: values.slice(0, rank).map(Math.sqrt), vectors: sliceColumns(vectors, 0, rank) };
}

function scaleColumns({ rows, columns, data }: Matrix, factorOf: (column: number) => number): void {
  const factors = Float64Array.from({ length: columns }, (_, j) => factorOf(j));
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      data[i * columns + j] = (data[i * columns + j] as number) * (factors[j] as number);
    }
  }
}

/** Computes scalar products of every two rows in f64, some columns at a time. */
async function gramOfRows({ rows, columns, data }: Matrix, products: MatrixProducts): Promise<Matrix> {
  const gram = new Float64Array(rows * rows);
  for (let begin = 0; begin < columns; begin += CHUNK) {
    const width = Math.min(CHUNK, columns - begin);
    const part = new Float64Array(rows * width);
    for (let i = 0; i < rows; i++) {
      part.set(data.subarray(i * columns + begin, i * columns + begin + width), i * width);
    }
    const chunk = { rows, columns: width, data: part };
    const { data: sums } = await products.multiply(chunk, chunk, { transposeRight: true });
    for (let i = 0; i < gram.length; i++) gram[i] = (gram[i] as number) + (sums[i] as number);
  }
  return { rows, columns: rows, data: gram };
}
