/** Counts elements that are not finite, and sets them to 0. */
export function dropNonFinite(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) continue;
    values[i] = 0;
    count++;
  }
  return count;
}

/** Adds the sums of the first four powers of all elements. @param out - `[4]` */
export function addPowersInto(values: Float32Array, out: Float64Array): void {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    const square = x * x;
    first += x;
    second += square;
    third += square * x;
    fourth += square * square;
  }
  out[0]! += first;
  out[1]! += second;
  out[2]! += third;
  out[3]! += fourth;
}

/**
 * Adds up how much of two steps from a base is in both: the smaller of both changes of each element, of
 * elements that change in opposite directions, and of all elements.
 * @param out - `[2]`
 */
export function addOverlapInto(
  base: Float32Array,
  one: Float32Array,
  other: Float32Array,
  out: Float64Array,
): void {
  let [opposed, all] = [0, 0];
  for (let i = 0; i < base.length; i++) {
    const a = one[i]! - base[i]!;
    const b = other[i]! - base[i]!;
    const common = Math.min(Math.abs(a), Math.abs(b));
    all += common;
    if (a * b < 0) opposed += common;
  }
  out[0]! += opposed;
  out[1]! += all;
}

/**
 * Subtracts the means of rows and columns from a matrix, and scales each row to length 1; rows of length 0
 * become 0.
 * @param values - `[rows, width]`
 */
export function centreRowsInto(values: Float32Array, rows: number, width: number, out: Float32Array): void {
  const means = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    const begin = i * width;
    for (let j = 0; j < width; j++) means[j] = means[j]! + values[begin + j]! / rows;
  }
  let all = 0;
  for (let j = 0; j < width; j++) all += means[j]! / width;
  for (let i = 0; i < rows; i++) {
    const begin = i * width;
    let mean = 0;
    let raw = 0;
    for (let j = 0; j < width; j++) {
      const x = values[begin + j]!;
      mean += x / width;
      raw += x * x;
    }
    let squares = 0;
    for (let j = 0; j < width; j++) {
      const x = values[begin + j]! - means[j]! - mean + all;
      out[begin + j] = x;
      squares += x * x;
    }
    // Rows that are all equal leave only rounding errors.
    const scale = squares > 1e-10 * raw ? 1 / Math.sqrt(squares) : 0;
    for (let j = 0; j < width; j++) out[begin + j] = out[begin + j]! * scale;
  }
}

/** Counts the rows of length 1, not 0, that {@link centreRowsInto} wrote. */
export function countLongRows(values: Float32Array, rows: number, width: number): number {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) {
      if (values[i * width + j] === 0) continue;
      count++;
      break;
    }
  }
  return count;
}

/**
 * Computes invariants of each row, which do not change when its columns are permuted: the sums of squares,
 * values and absolute values, and the largest absolute value.
 * @param out - `[rows, 4]`
 */
export function rowInvariantsInto(
  values: Float32Array,
  rows: number,
  width: number,
  out: Float64Array,
): void {
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    let total = 0;
    let absolute = 0;
    let largest = 0;
    for (let j = i * width; j < (i + 1) * width; j++) {
      const x = values[j]!;
      const size = Math.abs(x);
      squares += x * x;
      total += x;
      absolute += size;
      if (size > largest) largest = size;
    }
    out.set([squares, total, absolute, largest], i * 4);
  }
}

/**
 * Updates for each sought row the largest cosine with any row of a matrix, and the position of that row.
 * @param sought - `[count, width]`, rows of length 1
 * @param values - `[rows, stride]`, of which the first `width` columns are compared
 * @param best - `[count]`, largest cosines so far
 * @param places - `[count]`, positions of the rows with these cosines
 */
export function updateNearestRows(
  sought: Float32Array,
  values: Float32Array,
  { width, stride, first }: { readonly width: number; readonly stride: number; readonly first: number },
  best: Float64Array,
  places: Int32Array,
): void {
  const rows = values.length / stride;
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let j = 0; j < width; j++) squares += values[i * stride + j]! ** 2;
    if (squares === 0) continue;
    const scale = 1 / Math.sqrt(squares);
    for (let k = 0; k < best.length; k++) {
      let product = 0;
      for (let j = 0; j < width; j++) product += sought[k * width + j]! * values[i * stride + j]!;
      if (product * scale <= best[k]!) continue;
      best[k] = product * scale;
      places[k] = first + i;
    }
  }
}
