/** A square matrix of which the upper half is read, and the row and column where its last part begins. */
export interface UpperHalf {
  readonly data: Float64Array;
  readonly extent: number;
  readonly begin: number;
}

/**
 * Computes the product of the last part of a symmetric matrix and a vector; reads the upper half only, four
 * rows at a time, as reading the matrix is what takes the time.
 * @param vector - `[extent]`, zero before `begin`
 * @param out - `[extent]`, overwritten from `begin`
 */
export function multiplySymmetric(
  { data, extent, begin }: UpperHalf,
  vector: Float64Array,
  out: Float64Array,
): void {
  out.fill(0, begin);
  let i = begin;
  for (; i + 4 <= extent; i += 4) {
    multiplyCorner(data, extent, { begin: i, end: i + 4 }, vector, out);
    const [row0, row1, row2, row3] = [i * extent, (i + 1) * extent, (i + 2) * extent, (i + 3) * extent];
    const [v0, v1, v2, v3] = [vector[i]!, vector[i + 1]!, vector[i + 2]!, vector[i + 3]!];
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    for (let j = i + 4; j < extent; j++) {
      const v = vector[j]!;
      const a0 = data[row0 + j]!;
      const a1 = data[row1 + j]!;
      const a2 = data[row2 + j]!;
      const a3 = data[row3 + j]!;
      sum0 += a0 * v;
      sum1 += a1 * v;
      sum2 += a2 * v;
      sum3 += a3 * v;
      out[j] = out[j]! + (a0 * v0 + a1 * v1 + (a2 * v2 + a3 * v3));
    }
    out[i] = out[i]! + sum0;
    out[i + 1] = out[i + 1]! + sum1;
    out[i + 2] = out[i + 2]! + sum2;
    out[i + 3] = out[i + 3]! + sum3;
  }
  multiplyCorner(data, extent, { begin: i, end: extent }, vector, out);
}

/** Adds what a small square on the diagonal contributes. */
function multiplyCorner(
  data: Float64Array,
  extent: number,
  { begin, end }: { readonly begin: number; readonly end: number },
  vector: Float64Array,
  out: Float64Array,
): void {
  for (let i = begin; i < end; i++) {
    for (let j = begin; j < end; j++) {
      const element = i <= j ? data[i * extent + j]! : data[j * extent + i]!;
      out[i] = out[i]! + element * vector[j]!;
    }
  }
}

/** Returns the sum of products of two rows from `begin` to `end`. */
export function innerOfRows(
  x: Float64Array,
  y: Float64Array,
  { begin, end }: { readonly begin: number; readonly end: number },
): number {
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  let j = begin;
  for (; j + 4 <= end; j += 4) {
    sum0 += x[j]! * y[j]!;
    sum1 += x[j + 1]! * y[j + 1]!;
    sum2 += x[j + 2]! * y[j + 2]!;
    sum3 += x[j + 3]! * y[j + 3]!;
  }
  for (; j < end; j++) sum0 += x[j]! * y[j]!;
  return sum0 + sum1 + (sum2 + sum3);
}

/** Adds `factor` times a row to another from `begin` to `end`. */
export function addRow(
  to: Float64Array,
  factor: number,
  row: Float64Array,
  { begin, end }: { readonly begin: number; readonly end: number },
): void {
  for (let j = begin; j < end; j++) to[j] = to[j]! + factor * row[j]!;
}
