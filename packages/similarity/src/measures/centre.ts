import type { Matrix } from "@isthmus/linear-algebra";

/**
 * Computes the mean of each column in f64, as an offset from its first element: the mean of equal elements is
 * exactly that element, so that a constant column is exactly 0 once it is centred.
 */
export function columnMeans({ rows, columns, data }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const difference = (data[i * columns + j] as number) - (data[j] as number);
      means[j] = (means[j] as number) + difference / rows;
    }
  }
  return means.map((mean, j) => (data[j] as number) + mean);
}

/** Copies a matrix as f64 with a number subtracted from each column. */
export function shiftColumns({ rows, columns, data }: Matrix, shifts: Float64Array): Matrix {
  const shifted = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      shifted[i * columns + j] = (data[i * columns + j] as number) - (shifts[j] as number);
    }
  }
  return { rows, columns, data: shifted };
}

/** Copies a matrix as f64 with columns of mean 0. */
export function centreColumns(matrix: Matrix): Matrix {
  return shiftColumns(matrix, columnMeans(matrix));
}

/** Copies a Gram matrix of samples as the Gram matrix of the same samples with their mean subtracted. */
export function centreGram({ rows: n, data }: Matrix): Matrix {
  const means = columnMeans({ rows: n, columns: n, data });
  const [mean = 0] = columnMeans({ rows: n, columns: 1, data: means });
  const centred = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      centred[i * n + j] = (data[i * n + j] as number) - (means[i] as number) - (means[j] as number) + mean;
    }
  }
  return { rows: n, columns: n, data: centred };
}
