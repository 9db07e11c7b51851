/** Copies the marked columns of a matrix. */
export function copyColumns(from: Float32Array, marked: Int32Array, units: number, to: Float32Array): void {
  for (let base = 0; base < from.length; base += units) {
    for (let k = 0; k < marked.length; k++) to[base + marked[k]!] = from[base + marked[k]!]!;
  }
}

/** Copies the marked rows of a matrix. */
export function copyRows(from: Float32Array, marked: Int32Array, length: number, to: Float32Array): void {
  for (let k = 0; k < marked.length; k++) {
    const at = marked[k]! * length;
    to.set(from.subarray(at, at + length), at);
  }
}

/** Selects rows: row `k` of `out` from row `first` on is row `marked[k]`, times a factor. */
export function selectRows(
  values: Float32Array,
  marked: Int32Array,
  length: number,
  { out, first, factor }: { out: Float32Array; first: number; factor: number },
): void {
  for (let k = 0; k < marked.length; k++) {
    const from = marked[k]! * length;
    const to = (first + k) * length;
    for (let i = 0; i < length; i++) out[to + i] = factor * values[from + i]!;
  }
}

/** Selects columns: column `first + k` of `out`, of rows of `width`, is column `marked[k]` times a factor. */
export function selectColumns(
  values: Float32Array,
  marked: Int32Array,
  length: number,
  { out, first, factor, width }: { out: Float32Array; first: number; factor: number; width: number },
): void {
  for (let from = 0, to = first; from < values.length; from += length, to += width) {
    for (let k = 0; k < marked.length; k++) out[to + k] = factor * values[from + marked[k]!]!;
  }
}
