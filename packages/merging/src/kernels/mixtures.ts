import { allocateNumbers, allocatePatterns } from "./block-memory.ts";
import { keepMagnitudes, type MagnitudeWindow } from "./magnitudes.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import { DIFFERENCES, kindOf, type StoredFloats } from "./stored-floats.ts";
import * as loops from "./task-vectors.ts";
import { type Numbers, patternsOf } from "./task-vectors.ts";
import { addChanges, roundedFor } from "./vectors.ts";

/** Window of all magnitudes, including magnitudes of numbers that are not finite. */
export const ALL_MAGNITUDES: MagnitudeWindow = { least: 0, span: 2 ** 31 };

/** A task vector that is added to a base. */
export interface MixedVector {
  /**
   * Returns the stored elements of the network, for SIMD loops; undefined if the loops must use `delta`, too.
   */
  readonly stored: (() => StoredFloats) | undefined;
  /** Returns the differences from the base, in an array that may be overwritten. */
  delta(): Numbers;
  /** Window of the magnitudes of the differences that are kept. */
  readonly kept: MagnitudeWindow;
  /** Factor of differences before they are weighted. */
  readonly factor: number;
  /** Weight of the differences, which multiplies them after `factor`. */
  readonly weight: number;
  /** Factor of the weighted differences in the sum. @defaultValue 1 */
  readonly scale?: number;
  /** Term that an added difference contributes to the divisor of its element. @defaultValue the weight */
  readonly share?: number;
}

/** A base to which task vectors are added. */
export interface MixedBase {
  /** Returns the stored elements of the base, for SIMD loops. */
  stored(): StoredFloats;
  /** Returns the elements of the base as numbers. */
  numbers(): Numbers;
}

/** Rule for adding the differences of the elected sign, which is positive if the vote is at least 0. */
export interface Election {
  /** Whether differences vote by the sum of their signs, instead of their own sum. */
  readonly counts: boolean;
  /**
   * Division of sums by the sums of shares: never, after these are raised to at least `least`, or only if
   * their size is above `least`.
   */
  readonly divides: "never" | "at least" | "above";
  /** Least sum of shares, see `divides`. */
  readonly least: number;
}

/**
 * Number of words for each network in the table that SIMD loops read, and number of its elements that they
 * hold at a time.
 */
const WORDS = 8;

const DIVIDES = { never: 0, "at least": 1, above: 2 } as const;

/**
 * Computes a base plus `factor` times the sum of task vectors. Elements without a change keep the bits of the
 * base, including negative zeros.
 * @param election - rule for signs; undefined to add all differences
 */
export function mixVectors(
  vectors: readonly MixedVector[],
  base: MixedBase,
  { election, factor }: { readonly election: Election | undefined; readonly factor: number },
  out: Numbers,
): void {
  if (out instanceof Float32Array && mixBySimd(vectors, base, { election, factor }, out)) return;
  const numbers = base.numbers();
  const deltas = vectors.map((vector) => weighed(vector, vector.delta()));
  const sums = election === undefined ? addAll(deltas, out) : addElected(vectors, deltas, election, out);
  addChanges(numbers, sums, out, factor);
}

/**
 * Computes {@link mixVectors} by SIMD loops; returns false, without a result, if the arrays do not allow
 * that.
 */
function mixBySimd(
  vectors: readonly MixedVector[],
  base: MixedBase,
  { election, factor }: { readonly election: Election | undefined; readonly factor: number },
  out: Float32Array,
): boolean {
  if (wholeGroups(out.length) < out.length || simdFor(out) === undefined) return false;
  const start = base.stored();
  const sources = vectors.map(({ stored, delta }) => stored?.() ?? delta());
  const table = allocatePatterns(WORDS * vectors.length);
  const scratch = allocatePatterns(WORDS * vectors.length);
  const simd = simdFor(out, start, table, scratch, ...sources);
  if (simd === undefined) return false;
  const numbers = new Float32Array(table.buffer, table.byteOffset, table.length);
  for (const [k, { stored, kept, factor: scaled, weight, scale = 1, share = weight }] of vectors.entries()) {
    const row = WORDS * k;
    const source = sources[k]!;
    const kind = stored === undefined ? DIFFERENCES : kindOf(source);
    // Signed words compare as unsigned ones do where 2^31 is added to both.
    table.set([source.byteOffset, kind, kept.least + 2 ** 31, kept.span - 2 ** 31], row);
    numbers.set([scaled, weight, scale, share], row + WORDS / 2);
  }
  const common = [table.byteOffset, vectors.length, start.byteOffset, kindOf(start)] as const;
  if (election === undefined) {
    simd.mixAll(...common, factor, out.byteOffset, out.length);
  } else {
    const { counts, divides, least } = election;
    const rules = [counts ? 1 : 0, DIVIDES[divides], least] as const;
    simd.mixElected(...common, ...rules, factor, scratch.byteOffset, out.byteOffset, out.length);
  }
  return true;
}

/** Sets differences outside the kept window to 0, and multiplies the others by the factor and the weight. */
function weighed({ kept, factor, weight }: MixedVector, delta: Numbers): Numbers {
  if (kept.span < ALL_MAGNITUDES.span) {
    const patterns = patternsOf(delta instanceof Float32Array ? delta : Float32Array.from(delta));
    const values = delta instanceof Float32Array ? patterns : delta;
    keepMagnitudes(values, patterns, kept.least, kept.least + kept.span);
  }
  for (const by of [factor, weight]) if (by !== 1) loops.scaleBy(delta, roundedFor(delta, by));
  return delta;
}

function zerosLike(numbers: Numbers): Numbers {
  return allocateNumbers(numbers instanceof Float64Array, numbers.length);
}

function addAll(deltas: readonly Numbers[], out: Numbers): Numbers {
  const sums = zerosLike(out);
  for (const delta of deltas) loops.addTo(sums, delta);
  return sums;
}

function addElected(
  vectors: readonly MixedVector[],
  deltas: readonly Numbers[],
  { counts, divides, least }: Election,
  out: Numbers,
): Numbers {
  const [votes, sums, divisors] = [zerosLike(out), zerosLike(out), zerosLike(out)];
  for (const delta of deltas) {
    if (counts) loops.addSignsTo(votes, delta);
    else loops.addTo(votes, delta);
  }
  for (let k = 0; k < vectors.length; k++) {
    const { weight, scale = 1, share = weight } = vectors[k]!;
    const delta = deltas[k]!;
    loops.keepAgreeing(votes, delta);
    loops.addWeightOf(delta, roundedFor(delta, share), divisors);
    if (scale !== 1) loops.scaleBy(delta, roundedFor(delta, scale));
    loops.addTo(sums, delta);
  }
  if (divides === "at least") loops.divideByAtLeast(sums, divisors, roundedFor(sums, least));
  else if (divides === "above") loops.divideBy(sums, divisors, roundedFor(sums, least));
  return sums;
}
