/** Sizes of a weight that lies `[rows, rest, columns]`: rows and columns move, the rest stays. */
export interface Extents {
  /** Positions of the first component, which move. */
  readonly rows: number;
  /** Positions of all axes that stay, flattened. */
  readonly rest: number;
  /** Positions of the second component, which move; 1 if there is none. */
  readonly columns: number;
}

/** Sources of the rows and columns of a weight under a permutation. */
export interface BothMaps {
  /** Source of each row of the first component, `[rows]`. */
  readonly rowMap: Int32Array;
  /** Source of each column of the second component, `[columns]`. */
  readonly columnMap: Int32Array;
}

/** Inner products, in f64, of the image, the cross and the vertex that a step of a weight is made of. */
export type StepGram = readonly [xx: number, xc: number, xd: number, cc: number, cd: number, dd: number];

/** A weight of two axes that move: unrelaxed, and relaxed along one or both of them. */
export interface TwoSided {
  /** Weight in its stored order of units. */
  readonly still: Float32Array;
  /** Relaxed along the rows alone. */
  readonly alongRows: Float32Array;
  /** Relaxed along the columns alone. */
  readonly alongColumns: Float32Array;
  /** Weight relaxed along both: along its columns first, then along its rows. */
  readonly image: Float32Array;
}

/** Moves some rows: row `i` of `out` becomes row `map[i]` of `values`. */
export function moveRows(values: Float32Array, map: Int32Array, some: Int32Array, out: Float32Array): void {
  const length = values.length / map.length;
  for (let k = 0; k < some.length; k++) {
    const from = map[some[k]!]! * length;
    out.set(values.subarray(from, from + length), some[k]! * length);
  }
}

/** Moves some columns: column `j` of `out` becomes column `map[j]` of `values`. */
export function moveColumns(
  values: Float32Array,
  map: Int32Array,
  some: Int32Array,
  out: Float32Array,
): void {
  const columns = map.length;
  for (let base = 0; base < values.length; base += columns) {
    for (let k = 0; k < some.length; k++) out[base + some[k]!] = values[base + map[some[k]!]!]!;
  }
}

/** Moves rows, in some columns alone: row `i` of `out` becomes there row `map[i]` of `values`. */
export function moveRowsWithin(
  values: Float32Array,
  { rows, rest, columns }: Extents,
  { map, some }: { map: Int32Array; some: Int32Array },
  out: Float32Array,
): void {
  const length = rest * columns;
  for (let i = 0; i < rows; i++) {
    const shift = (map[i]! - i) * length;
    for (let base = i * length; base < (i + 1) * length; base += columns) {
      for (let k = 0; k < some.length; k++) out[base + some[k]!] = values[base + shift + some[k]!]!;
    }
  }
}

/** Adds cross and vertex of a step along rows and columns to sums; returns the inner products. */
export function measureBoth(
  { still, alongRows, alongColumns, image }: TwoSided,
  { rows, rest, columns }: Extents,
  { rowMap, columnMap }: BothMaps,
  { cross, vertex }: { cross: Float64Array; vertex: Float64Array },
): StepGram {
  let [xx, xc, xd, cc, cd, dd] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rest; r++) {
      const to = (i * rest + r) * columns;
      const from = (rowMap[i]! * rest + r) * columns;
      for (let j = 0; j < columns; j++) {
        const column = columnMap[j]!;
        const x = image[to + j]!;
        const c = alongColumns[from + j]! + alongRows[to + column]!;
        const d = still[from + column]!;
        cross[to + j]! += c;
        vertex[to + j]! += d;
        xx += x * x;
        xc += x * c;
        xd += x * d;
        cc += c * c;
        cd += c * d;
        dd += d * d;
      }
    }
  }
  return [xx, xc, xd, cc, cd, dd];
}

/**
 * Takes a step of `t` along rows and columns. With `P` and `Q` after the step, the image is `P (W Q')`: the
 * weight that has been relaxed along its new columns is relaxed along the new rows.
 */
export function stepBoth(
  { still, alongRows, alongColumns, image }: TwoSided,
  { rows, rest, columns }: Extents,
  { rowMap, columnMap }: BothMaps,
  t: number,
): void {
  const stay = 1 - t;
  for (let base = 0; base < still.length; base += columns) {
    for (let j = 0; j < columns; j++) {
      alongColumns[base + j] = stay * alongColumns[base + j]! + t * still[base + columnMap[j]!]!;
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rest; r++) {
      const to = (i * rest + r) * columns;
      const from = (rowMap[i]! * rest + r) * columns;
      for (let j = 0; j < columns; j++) {
        const ofOldRows = stay * image[to + j]! + t * alongRows[to + columnMap[j]!]!;
        image[to + j] = stay * ofOldRows + t * alongColumns[from + j]!;
      }
      for (let j = 0; j < columns; j++) {
        alongRows[to + j] = stay * alongRows[to + j]! + t * still[from + j]!;
      }
    }
  }
}

/** Adds the vertex of a step along rows to a sum; returns the inner products, the cross being `x + d`. */
export function measureRows(
  { still, image }: Pick<TwoSided, "still" | "image">,
  map: Int32Array,
  vertex: Float64Array,
): StepGram {
  const length = still.length / map.length;
  let [xx, xd, dd] = [0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    const shift = (map[i]! - i) * length;
    for (let at = i * length; at < (i + 1) * length; at++) {
      const x = image[at]!;
      const d = still[at + shift]!;
      vertex[at]! += d;
      xx += x * x;
      xd += x * d;
      dd += d * d;
    }
  }
  return gramOfTwo(xx, xd, dd);
}

/** Takes a step of `t` along rows. */
export function stepRows(
  { still, image }: Pick<TwoSided, "still" | "image">,
  map: Int32Array,
  t: number,
): void {
  const length = still.length / map.length;
  const stay = 1 - t;
  for (let i = 0; i < map.length; i++) {
    const shift = (map[i]! - i) * length;
    for (let at = i * length; at < (i + 1) * length; at++) {
      image[at] = stay * image[at]! + t * still[at + shift]!;
    }
  }
}

/** Returns the inner products of a step whose cross is the sum of image and vertex. */
export function gramOfTwo(xx: number, xd: number, dd: number): StepGram {
  return [xx, xx + xd, xd, xx + 2 * xd + dd, xd + dd, dd];
}
