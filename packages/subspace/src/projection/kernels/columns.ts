/** Adds `factor column` to `out`. */
export function addColumn(column: Float32Array, factor: number, out: Float64Array): void {
  for (let i = 0; i < column.length; i++) out[i] = out[i]! + factor * column[i]!;
}

/**
 * Computes the inner product of a column with `y`, in four sums that the processor can compute independently.
 */
export function dotColumn(column: Float32Array, y: Float32Array): number {
  const { length } = column;
  const whole = length - (length & 3);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < whole; i += 4) {
    a += column[i]! * y[i]!;
    b += column[i + 1]! * y[i + 1]!;
    c += column[i + 2]! * y[i + 2]!;
    d += column[i + 3]! * y[i + 3]!;
  }
  for (let i = whole; i < length; i++) a += column[i]! * y[i]!;
  return a + b + (c + d);
}

/** Nonzero entries of a matrix, column by column; all entries of a column have the same size. */
export interface SignColumns {
  /** Index of the first entry of each column, `[columns + 1]`. */
  readonly begins: Uint32Array;
  /** Code of each entry: twice its row, plus 1 if the entry is negative, `[entries]`. */
  readonly entries: Uint32Array;
  /** Size of the entries of each column, `[columns]`. */
  readonly sizes: Float32Array;
}

/** Adds the product of a matrix of signs with `z` to `out`. */
export function addSignProduct(
  { begins, entries, sizes }: SignColumns,
  z: Float32Array,
  out: Float32Array,
): void {
  for (let j = 0; j < z.length; j++) {
    const size = z[j]! * sizes[j]!;
    const end = begins[j + 1]!;
    for (let k = begins[j]!; k < end; k++) {
      const code = entries[k]!;
      const row = code >>> 1;
      out[row] = out[row]! + (code & 1 ? -size : size);
    }
  }
}

/** Writes the product of the transpose of a matrix of signs with `y` into `out`. */
export function signTransposedInto(
  { begins, entries, sizes }: SignColumns,
  y: Float32Array,
  out: Float32Array,
): void {
  for (let j = 0; j < out.length; j++) {
    let sum = 0;
    const end = begins[j + 1]!;
    for (let k = begins[j]!; k < end; k++) {
      const code = entries[k]!;
      const value = y[code >>> 1]!;
      sum += code & 1 ? -value : value;
    }
    out[j] = sum * sizes[j]!;
  }
}
