/** Sizes of a weight that lies `[rows, rest, columns]`: rows and columns move, the rest stays. */
export interface Extents {
  readonly rows: number;
  readonly rest: number;
  readonly columns: number;
}

/** Moves rows: row `i` of `out` is row `map[i]` of `values`. */
export function moveRows(values: Float32Array, map: Int32Array, out: Float32Array): void {
  const length = values.length / map.length;
  for (let i = 0; i < map.length; i++) {
    const from = map[i]! * length;
    out.set(values.subarray(from, from + length), i * length);
  }
}

/** Moves columns: column `j` of `out` is column `map[j]` of `values`. */
export function moveColumns(values: Float32Array, map: Int32Array, out: Float32Array): void {
  const columns = map.length;
  for (let base = 0; base < values.length; base += columns) {
    for (let j = 0; j < columns; j++) out[base + j] = values[base + map[j]!]!;
  }
}

/** A weight of two axes that move, as it is and relaxed along each of them alone, with room for a step. */
export interface TwoSided {
  readonly still: Float32Array;
  /** Relaxed along the rows alone. */
  readonly alongRows: Float32Array;
  /** Relaxed along the columns alone. */
  readonly alongColumns: Float32Array;
  readonly image: Float32Array;
  readonly cross: Float32Array;
  readonly vertex: Float32Array;
}

/** Writes cross and vertex of a step towards permutations of rows and columns; returns the inner products. */
export function faceBoth(
  { still, alongRows, alongColumns, image, cross, vertex }: TwoSided,
  { rows, rest, columns }: Extents,
  rowMap: Int32Array,
  columnMap: Int32Array,
): [number, number, number, number, number, number] {
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
        cross[to + j] = c;
        vertex[to + j] = d;
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

/** Takes a step of `t` towards the permutations that a weight was faced to. */
export function stepBoth(
  { still, alongRows, alongColumns, image, cross, vertex }: TwoSided,
  { rows, rest, columns }: Extents,
  { rowMap, columnMap, t }: { rowMap: Int32Array; columnMap: Int32Array; t: number },
): void {
  const [u, v, w, stay] = [(1 - t) ** 2, t * (1 - t), t ** 2, 1 - t];
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rest; r++) {
      const to = (i * rest + r) * columns;
      const from = (rowMap[i]! * rest + r) * columns;
      for (let j = 0; j < columns; j++) {
        const at = to + j;
        image[at] = u * image[at]! + v * cross[at]! + w * vertex[at]!;
        alongRows[at] = stay * alongRows[at]! + t * still[from + j]!;
        alongColumns[at] = stay * alongColumns[at]! + t * still[to + columnMap[j]!]!;
      }
    }
  }
}

/** Goes a share `t` of the way to a target, in place. */
export function approach(values: Float32Array, target: Float32Array, t: number): void {
  const stay = 1 - t;
  for (let i = 0; i < values.length; i++) values[i] = stay * values[i]! + t * target[i]!;
}

/** Computes `[x.x, x.d, d.d]` in f64. */
export function innerProducts(x: Float32Array, d: Float32Array): [number, number, number] {
  let [xx, xd, dd] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += x[i]! * x[i]!;
    xd += x[i]! * d[i]!;
    dd += d[i]! * d[i]!;
  }
  return [xx, xd, dd];
}
