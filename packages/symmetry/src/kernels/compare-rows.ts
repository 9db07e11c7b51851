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
  // Two rows at a time share the offsets, which takes half of the reads; an odd last row is compared twice.
  const last = startsBefore.length - 1;
  for (let row = 0; row <= last; row += 2) {
    const other = row < last ? row + 1 : row;
    const from = startsBefore[row]!;
    const to = startsAfter[row]!;
    const otherFrom = startsBefore[other]!;
    const otherTo = startsAfter[other]!;
    for (let i = 0; i < before.length; i++) {
      const left = before[i]!;
      const right = after[i]!;
      const x = a[from + left]!;
      const y = b[to + right]!;
      const v = a[otherFrom + left]!;
      const w = b[otherTo + right]!;
      const size = Math.abs(x);
      const otherSize = Math.abs(v);
      if (size > magnitude && size !== Number.POSITIVE_INFINITY) magnitude = size;
      if (otherSize > magnitude && otherSize !== Number.POSITIVE_INFINITY) magnitude = otherSize;
      // NaN is never at most `apart`.
      if (!(Math.abs(x - y) <= apart)) apart = furtherApart(apart, x, y);
      if (!(Math.abs(v - w) <= apart)) apart = furtherApart(apart, v, w);
    }
  }
  return relativeTo(magnitude, apart);
}

/** Returns the difference of two numbers, if they do not count as equal, and otherwise the one so far. */
function furtherApart(apart: number, x: number, y: number): number {
  if (Object.is(x, y) || x === y) return apart;
  const difference = Math.abs(x - y);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
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
    if (!(Math.abs(x - y) <= apart)) apart = furtherApart(apart, x, y);
  }
  return relativeTo(magnitude, apart);
}

function relativeTo(magnitude: number, apart: number): number {
  if (apart === 0) return 0;
  return magnitude > 0 && Number.isFinite(apart) ? apart / magnitude : Number.POSITIVE_INFINITY;
}
