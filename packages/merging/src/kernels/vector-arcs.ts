import { sizeOf } from "@isthmus/core";
import type { Numbers } from "../number-blocks.ts";

/** Layout of the vectors of a tensor: runs along its last axis, or columns along its first. */
export interface VectorLayout {
  /** Number of consecutive elements in memory before the next vector begins. */
  readonly run: number;
  /** Number of vectors. */
  readonly count: number;
}

/**
 * Returns the layout of vectors along the last or the first axis of a tensor. A tensor with one axis is a
 * single vector.
 */
export function layVectors(shape: readonly number[], axis: "first" | "last"): VectorLayout {
  const size = sizeOf(shape);
  if (shape.length <= 1 || size === 0) return { run: Math.max(1, size), count: 1 };
  const [outer = 1] = shape;
  const inner = shape[shape.length - 1] as number;
  return axis === "first" ? { run: 1, count: size / outer } : { run: inner, count: size / inner };
}

/**
 * Adds the products of the differences of two arrays `x` and `y` from an origin to the sums of each vector:
 * of `x` with itself, of `x` and `y`, and of `y` with itself.
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

/** Factors of both networks for each vector, and the place on the line for vectors without an arc. */
export interface VectorFactors {
  /** Factors `[vectors][2]`; NaN for vectors that are merged on the line. */
  readonly factors: Float64Array;
  /** Place on the line between both networks, from 0 at the first to 1 at the second. */
  readonly t: number;
}

/**
 * Replaces `x` by `origin + a (x - origin) + b (y - origin)`, with factors `a` and `b` of each vector. On the
 * line, elements that are equal in `x` and `y` stay unchanged, bit for bit.
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
    if (Number.isNaN(a)) x[i] = lerpNumbers(from, to, t);
    else x[i] = start + a * (from - start) + b * (to - start);
    if (++within < run) continue;
    within = 0;
    if (++vector === count) vector = 0;
  }
}

/**
 * Replaces `x` by the point on the line to `y` at the share of each vector. Elements that are equal in both
 * stay unchanged, bit for bit.
 * @param begin - position of the first element in the tensor
 * @param shares - `[vectors]`, from 0 for `x` to 1 for `y`
 */
export function lerpVectors(
  [x, y]: readonly [Numbers, Numbers],
  begin: number,
  { run, count }: VectorLayout,
  shares: Float64Array,
): void {
  let vector = Math.floor(begin / run) % count;
  let within = begin % run;
  for (let i = 0; i < x.length; i++) {
    x[i] = lerpNumbers(x[i]!, y[i]!, shares[vector]!);
    if (++within < run) continue;
    within = 0;
    if (++vector === count) vector = 0;
  }
}

/** Returns the point at `t` on the line between two numbers, which is exact at both ends. */
function lerpNumbers(from: number, to: number, t: number): number {
  return t < 0.5 ? from - t * (from - to) : to - (1 - t) * (to - from);
}
