/** Places of pairs of elements: element `i` of a row lies at the row's start plus the offset of `i`. */
export interface PairedRows {
  /** Offset at which each row of the first tensor starts. */
  readonly startsBefore: Int32Array;
  /** Offset at which each row of the second tensor starts. */
  readonly startsAfter: Int32Array;
  /** Offset of each element within a row of the first tensor. */
  readonly before: Int32Array;
  /** Offset of each element within a row of the second tensor. */
  readonly after: Int32Array;
}

/**
 * Measures the largest difference of pairs of numbers, relative to the largest finite magnitude of their
 * first numbers; infinity if a number is finite on one side only. Equal infinities, such as in masks, do not
 * differ, and NaN counts as equal to NaN: the network computes it both times.
 */
export function compareRows(
  a: Float32Array,
  b: Float32Array,
  { startsBefore, startsAfter, before, after }: PairedRows,
): number {
  let magnitude = 0;
  let apart = 0;
  for (let row = 0; row < startsBefore.length; row++) {
    const from = startsBefore[row]!;
    const to = startsAfter[row]!;
    for (let i = 0; i < before.length; i++) {
      const x = a[from + before[i]!]!;
      const y = b[to + after[i]!]!;
      const size = Math.abs(x);
      if (size > magnitude && size !== Number.POSITIVE_INFINITY) magnitude = size;
      const difference = Math.abs(x - y);
      if (difference <= apart) continue;
      if (Object.is(x, y) || x === y) continue;
      apart = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return relativeTo(magnitude, apart);
}

/** Does what {@link compareRows} does for all elements of two arrays, place by place. */
export function compareElements(a: Float32Array, b: Float32Array): number {
  let magnitude = 0;
  let apart = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    const size = Math.abs(x);
    if (size > magnitude && size !== Number.POSITIVE_INFINITY) magnitude = size;
    const difference = Math.abs(x - y);
    if (difference <= apart) continue;
    if (Object.is(x, y) || x === y) continue;
    apart = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return relativeTo(magnitude, apart);
}

function relativeTo(magnitude: number, apart: number): number {
  if (apart === 0) return 0;
  return magnitude > 0 && Number.isFinite(apart) ? apart / magnitude : Number.POSITIVE_INFINITY;
}
