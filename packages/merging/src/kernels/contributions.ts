import { simdFor, wholeGroups } from "./simd.ts";
import type { Numbers } from "./task-vectors.ts";
import { roundedFor } from "./vectors.ts";

/** Adds to the counts of elements whether the difference of one network is larger than `least`. */
export function countLarger(counts: Numbers, values: Numbers, least: number): void {
  const simd = values instanceof Float32Array ? simdFor(counts, values) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.countLarger(counts.byteOffset, values.byteOffset, least, count);
  for (let i = count; i < counts.length; i++) counts[i] = counts[i]! + (Math.abs(values[i]!) > least ? 1 : 0);
}

/**
 * Adds the differences of one network that are larger than `least`: multiplied by `unique` if no other
 * network has one, otherwise divided by the number of networks that have one.
 */
export function addContributions(
  sums: Numbers,
  values: Numbers,
  counts: Numbers,
  { least, unique }: { readonly least: number; readonly unique: number },
): void {
  const simd = values instanceof Float32Array ? simdFor(sums, values, counts) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  const factor = roundedFor(values, unique);
  simd?.addContributions(sums.byteOffset, values.byteOffset, counts.byteOffset, least, factor, count);
  const round = values instanceof Float32Array ? Math.fround : Number;
  for (let i = count; i < sums.length; i++) {
    const value = values[i]!;
    if (Math.abs(value) > least)
      sums[i] = sums[i]! + round(counts[i] === 1 ? value * factor : value / counts[i]!);
  }
}

/**
 * Counts the differences of one network that are larger than `least`: first the differences of elements for
 * which no other network has one, then the shared ones.
 */
export function countShared(values: Numbers, counts: Numbers, least: number): readonly [number, number] {
  const simd = values instanceof Float32Array ? simdFor(values, counts) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  const both = simd?.countShared(values.byteOffset, counts.byteOffset, least, count) ?? 0n;
  let unique = Number(both & 0xffffffffn);
  let shared = Number(both >> 32n);
  for (let i = count; i < values.length; i++) {
    if (!(Math.abs(values[i]!) > least)) continue;
    if (counts[i] === 1) unique++;
    else shared++;
  }
  return [unique, shared];
}

/**
 * Moves a base towards a network by at most `step`: `w = min(1, step / max(|d|, 1e-6))` of the difference
 * `d`.
 */
export function stepTowards(base: Numbers, network: Numbers, step: number, out: Numbers): void {
  const simd = out instanceof Float32Array ? simdFor(base, network, out) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.stepTowards(base.byteOffset, network.byteOffset, step, out.byteOffset, count);
  const round = out instanceof Float32Array ? Math.fround : Number;
  const [by, least] = [round(step), round(1e-6)];
  for (let i = count; i < out.length; i++) {
    const difference = round(network[i]! - base[i]!);
    const share = round(by / Math.max(Math.abs(difference), least));
    const moved = base[i]! + round(share * difference);
    out[i] = share >= 1 ? network[i]! : share > 0 ? moved : base[i]!;
  }
}
