import { OutOfRangeError, UsageError } from "@isthmus/core";

/** Elements of a matrix: f32 for large matrices, f64 if accuracy matters more. */
export type MatrixData = Float32Array | Float64Array;

/** A dense matrix, `[rows, columns]`, in row-major order. */
export interface Matrix {
  /** Number of rows, each of `columns` consecutive elements of `data`. */
  readonly rows: number;
  /** Number of columns, the length of a row. */
  readonly columns: number;
  /** Elements of the matrix, `rows * columns` of them. */
  readonly data: MatrixData;
}

/**
 * Makes a matrix of its elements, which are not copied.
 * @param data - in row-major order
 * @throws OutOfRangeError if there are not `rows * columns` elements
 * @throws UsageError if the elements are neither f32 nor f64
 */
export function createMatrix(rows: number, columns: number, data: MatrixData): Matrix {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new UsageError(
      `Cannot make a matrix as its elements must be a Float32Array or a Float64Array: got ${typeof data}`,
    );
  }
  if (data.length !== rows * columns) {
    throw new OutOfRangeError(
      `Cannot make a ${rows} x ${columns} matrix as it needs ${rows * columns} elements: got ${data.length}`,
    );
  }
  return { rows, columns, data };
}

/** Makes a matrix of zeros with the element type of another. */
export function zerosLike({ data }: Pick<Matrix, "data">, rows: number, columns: number): Matrix {
  const size = rows * columns;
  return {
    rows,
    columns,
    data: data instanceof Float64Array ? new Float64Array(size) : new Float32Array(size),
  };
}

/** Copies a matrix with its elements as f64. */
export function toFloat64Matrix({ rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: Float64Array.from(data) };
}

/** Copies a matrix with the element type of another. */
export function convertLike(like: Pick<Matrix, "data">, { rows, columns, data }: Matrix): Matrix {
  const converted = zerosLike(like, rows, columns);
  converted.data.set(data);
  return converted;
}

/** Copies columns `[begin, end)` of a matrix. */
export function sliceColumns(matrix: Matrix, begin: number, end: number): Matrix {
  const { rows, columns, data } = matrix;
  const part = zerosLike(matrix, rows, end - begin);
  for (let i = 0; i < rows; i++) {
    part.data.set(data.subarray(i * columns + begin, i * columns + end), i * (end - begin));
  }
  return part;
}

/**
 * Joins matrices with equally many rows side by side.
 * @param matrices - at least one, all of one element type
 * @throws OutOfRangeError if their numbers of rows differ
 */
export function joinColumns(matrices: readonly [Matrix, ...Matrix[]]): Matrix {
  const [first] = matrices;
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0);
  const joined = zerosLike(first, first.rows, columns);
  let begin = 0;
  for (const { rows, columns: width, data } of matrices) {
    if (rows !== first.rows) {
      throw new OutOfRangeError(
        `Cannot join matrices side by side as they must have as many rows: they have ${first.rows} and ${rows}`,
      );
    }
    for (let i = 0; i < rows; i++) {
      joined.data.set(data.subarray(i * width, (i + 1) * width), i * columns + begin);
    }
    begin += width;
  }
  return joined;
}
