/**
 * Repeats a map of rows for each slot of a panel: rows `slot * map.length + r` come from
 * `slot * map.length + map[r]`.
 */
export function repeatRows(map: Int32Array, slots: number): Int32Array {
  const count = map.length;
  const repeated = new Int32Array(count * slots);
  for (let slot = 0, row = 0; slot < slots; slot++) {
    for (let r = 0; r < count; r++, row++) repeated[row] = slot * count + map[r]!;
  }
  return repeated;
}

/** Subtracts arrays: `out[i] = a[i] - b[i]`, for as many elements as `out` has. */
export function differenceInto(a: Float32Array, b: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i]! - b[i]!;
}
