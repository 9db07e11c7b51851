/** Returns a plan with each column divided by its sum, `[rows, columns]`: targets become means of sources. */
export function meanOfColumns(plan: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let k = 0; k < plan.length; ) for (let j = 0; j < columns; j++, k++) sums[j] = sums[j]! + plan[k]!;
  const out = new Float64Array(plan.length);
  for (let k = 0; k < plan.length; ) for (let j = 0; j < columns; j++, k++) out[k] = plan[k]! / sums[j]!;
  return out;
}

/** Returns a plan with each row divided by its sum, `[rows, columns]`: sources are shared out to targets. */
export function sharesOfRows(plan: Float64Array, columns: number): Float64Array {
  const out = new Float64Array(plan.length);
  for (let row = 0; row < plan.length; row += columns) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += plan[row + j]!;
    for (let j = 0; j < columns; j++) out[row + j] = plan[row + j]! / sum;
  }
  return out;
}

/** Copies slices of an axis: `out[o, to[u], i] = data[o, from[u], i]` for all `o` and `i`. */
export function copySlices(
  data: Float64Array,
  out: Float64Array,
  [from, to]: readonly [Int32Array, Int32Array],
  {
    extents: [extentFrom, extentTo],
    inner,
  }: { readonly extents: readonly [number, number]; readonly inner: number },
): void {
  const outer = data.length / (extentFrom * inner);
  for (let o = 0; o < outer; o++) {
    for (let u = 0; u < from.length; u++) {
      const begin = (o * extentFrom + from[u]!) * inner;
      const end = (o * extentTo + to[u]!) * inner;
      for (let i = 0; i < inner; i++) out[end + i] = data[begin + i]!;
    }
  }
}

/** Gathers slices of an axis as rows: `out[u, o, i] = data[o, positions[u], i]`, `[units, outer * inner]`. */
export function gatherRows(
  data: Float64Array,
  positions: Int32Array,
  { extent, inner }: { readonly extent: number; readonly inner: number },
): Float64Array {
  const outer = data.length / (extent * inner);
  const out = new Float64Array(positions.length * outer * inner);
  let k = 0;
  for (let u = 0; u < positions.length; u++) {
    for (let o = 0; o < outer; o++) {
      const begin = (o * extent + positions[u]!) * inner;
      for (let i = 0; i < inner; i++) out[k++] = data[begin + i]!;
    }
  }
  return out;
}

/** Writes rows back as slices of an axis: `out[o, positions[u], i] = rows[u, o, i]`. */
export function scatterRows(
  rows: Float64Array,
  positions: Int32Array,
  { extent, inner }: { readonly extent: number; readonly inner: number },
  out: Float64Array,
): void {
  const outer = out.length / (extent * inner);
  let k = 0;
  for (let u = 0; u < positions.length; u++) {
    for (let o = 0; o < outer; o++) {
      const begin = (o * extent + positions[u]!) * inner;
      for (let i = 0; i < inner; i++) out[begin + i] = rows[k++]!;
    }
  }
}

/** Returns the sum of squares of each row, `[rows]`. */
export function squaredRows(data: Float64Array, columns: number): Float64Array {
  const out = new Float64Array(columns === 0 ? 0 : data.length / columns);
  for (let i = 0, k = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++, k++) sum += data[k]! * data[k]!;
    out[i] = sum;
  }
  return out;
}
