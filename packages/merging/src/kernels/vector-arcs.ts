import { sizeOf } from "@isthmus/core";
import type { Numbers } from "../number-blocks.ts";

/** Vectors that a tensor is made of: runs along its last axis, or columns along its first. */
export interface VectorLayout {
  /** Elements that follow each other in memory before the next vector begins. */
  readonly run: number;
  /** Number of vectors. */
  readonly count: number;
}

/** Returns the layout of vectors along the last axis, or the first, of a tensor; a vector is one whole. */
export function layVectors(shape: readonly number[], axis: "first" | "last"): VectorLayout {
  const size = sizeOf(shape);
  if (shape.length <= 1 || size === 0) return { run: Math.max(1, size), count: 1 };
  const [outer = 1] = shape;
  const inner = shape[shape.length - 1] as number;
  return axis === "first" ? { run: 1, count: size / outer } : { run: inner, count: size / inner };
}

/**
 * Adds products of the differences of two arrays from an origin to sums over each vector: of `x` with
 * itself, `x` with `y`, `y` with itself.
 * @param origin - undefined without a base
 * @param begin - position of the first element in the tensor
 * @param sums - `[vectors][3]`
 */
export function addVectorProducts(
  [x, y, origin]: readonly [Numbers, Numbers, Numbers | undefined],
  begin: number,
  { run, count }: VectorLayout,
  sums: Float64Array,
): void {
  let vector = Math.floor(begin / run) % count;
  let within = begin % run;
  for (let i = 0; i < x.length; i++) {
    const start = origin === undefined ? 0 : origin[i]!;
    const a = x[i]! - start;
    const b = y[i]! - start;
    const place = 3 * vector;
    sums[place] = sums[place]! + a * a;
    sums[place + 1] = sums[place + 1]! + a * b;
    sums[place + 2] = sums[place + 2]! + b * b;
    if (++within < run) continue;
    within = 0;
    if (++vector === count) vector = 0;
  }
}

/** Factors of two vectors by vector, and the place on the line where they have no arc. */
export interface VectorFactors {
  /** Factors `[vectors][2]`; NaN for vectors that are merged on the line. */
  readonly factors: Float64Array;
  readonly t: number;
}

/**
 * Writes `origin + a (x - origin) + b (y - origin)` over `x`, with other factors for each vector; on the line
 * equal elements stay unchanged, bit for bit.
 * @param origin - undefined without a base
 */
export function mixVectors(
  [x, y, origin]: readonly [Numbers, Numbers, Numbers | undefined],
  begin: number,
  { run, count }: VectorLayout,
  { factors, t }: VectorFactors,
): void {
  let vector = Math.floor(begin / run) % count;
  let within = begin % run;
  for (let i = 0; i < x.length; i++) {
    const a = factors[2 * vector]!;
    const b = factors[2 * vector + 1]!;
    const from = x[i]!;
    const to = y[i]!;
    const start = origin === undefined ? 0 : origin[i]!;
    if (Number.isNaN(a)) x[i] = t < 0.5 ? from - t * (from - to) : to - (1 - t) * (to - from);
    else x[i] = start + a * (from - start) + b * (to - start);
    if (++within < run) continue;
    within = 0;
    if (++vector === count) vector = 0;
  }
}
