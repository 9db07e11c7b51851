/**
 * Multiplies every element of some rows of a weight by the factor of its index on the first axis.
 *
 * @param values - `[rows, rowSize]`; changed
 * @param firstRows - indices of these rows in the weight; undefined if `values` is the whole weight
 * @param perFactor - elements of the weight that share a factor
 */
export function scaleRowsInPlace(
  values: Float32Array,
  firstRows: Int32Array | undefined,
  factors: Float64Array,
  rowSize: number,
  perFactor: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const place = Math.floor(i / rowSize);
    const offset = firstRows === undefined ? i : firstRows[place]! * rowSize + (i % rowSize);
    values[i] = values[i]! * factors[Math.floor(offset / perFactor)]!;
  }
}
