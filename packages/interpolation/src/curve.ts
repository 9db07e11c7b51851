import {
  at,
  type Checkpoint,
  type Elements,
  excerpt,
  lerpInto,
  OutOfRangeError,
  UsageError,
} from "@isthmus/core";
import { combine } from "./combine.ts";
import { lerp } from "./lerp.ts";
import type { Path } from "./path.ts";

/** Kinds of curves through bends: one polynomial, or straight pieces. */
export const CURVE_KINDS = ["bezier", "chain"] as const;

/** Kind of a curve; `bezier` is drawn towards its bends, `chain` passes through them. */
export type CurveKind = (typeof CURVE_KINDS)[number];

/** A curve's first point, its bends in order, and its last point. */
export type CurvePoints = readonly [Checkpoint, ...Checkpoint[], Checkpoint];

/**
 * Returns the curve through points, lazily: the Bezier curve `sum over k of C(n, k) t^k (1 - t)^(n - k) w_k`,
 * or the polygonal chain `w_0, ..., w_n`, whose pieces are equally long in `t` (Garipov et al. 2018,
 * equations 3 and 4).
 *
 * Both are made of straight lines, the Bezier curve by de Casteljau's repeated lines: ends are exact, and
 * elements that are equal in all points stay unchanged, bit for bit. Points are computed in f32 (f64 if a
 * point is f64) and rounded once, to the element type of the first point; on a chain, to the type of the
 * first point of the piece. Integer tensors are copied from the nearer end; on a chain, from the nearer
 * point.
 * @throws UsageError if `kind` is unknown
 * @throws MismatchError if names or shapes differ, when the curve is followed
 * @throws OutOfRangeError if there are fewer than two points, or, when the curve is followed, if `t` is not
 *   in `[0, 1]`
 */
export function createCurve(kind: CurveKind, points: CurvePoints): Path {
  assertCurve(kind, points.length);
  return (t) => {
    assertPlace(t);
    return kind === "bezier" ? bezierPoint(points, t) : chainPoint(points, t);
  };
}

/**
 * Returns the coefficient of each point at a place of a curve: the curve is `sum over k of c_k w_k`, and the
 * coefficients sum to 1.
 * @param count - number of points of the curve, ends included, at least 2
 * @param t - place, in `[0, 1]`
 * @returns coefficients, `[count]`
 * @throws UsageError if `kind` is unknown
 * @throws OutOfRangeError if `count` or `t` is out of range
 */
export function curveCoefficients(kind: CurveKind, count: number, t: number): number[] {
  assertCurve(kind, count);
  assertPlace(t);
  if (kind === "chain") {
    const { piece, local } = placeInChain(count, t);
    return Array.from({ length: count }, (_, k) => (k === piece ? 1 - local : k === piece + 1 ? local : 0));
  }
  // The curve of unit vectors, which is exact at the ends.
  let rows = Array.from({ length: count }, (_, k) => unitVector(count, k));
  while (rows.length > 1) {
    const before = rows;
    rows = before.slice(1).map((right, k) => {
      const left = at(before, k, "row");
      return right.map((x, i) => (1 - t) * at(left, i, "coefficient") + t * x);
    });
  }
  return at(rows, 0, "row");
}

const unitVector = (length: number, k: number): number[] =>
  Array.from({ length }, (_, i) => (i === k ? 1 : 0));

function assertCurve(kind: CurveKind, count: number): void {
  if (!CURVE_KINDS.includes(kind)) {
    throw new UsageError(
      `Cannot draw a curve as its kind must be one of ${CURVE_KINDS.join(", ")}: got ${excerpt(kind)}`,
    );
  }
  if (Number.isSafeInteger(count) && count >= 2) return;
  throw new OutOfRangeError(`Cannot draw a curve as it needs at least 2 points, its ends: got ${count}`);
}

function assertPlace(t: number): void {
  if (t >= 0 && t <= 1) return;
  throw new OutOfRangeError(`Cannot follow a curve as t must be in [0, 1]: got ${t}`);
}

/**
 * Finds the piece of a chain that contains a place, and the place on the piece, in `[0, 1]`. A place on a
 * point is at the start of a piece, except for the last point.
 */
function placeInChain(count: number, t: number): { readonly piece: number; readonly local: number } {
  const pieces = count - 1;
  const piece = Math.min(Math.floor(t * pieces), pieces - 1);
  return { piece, local: t * pieces - piece };
}

function chainPoint(points: CurvePoints, t: number): Checkpoint {
  const { piece, local } = placeInChain(points.length, t);
  return lerp(at(points, piece, "point"), at(points, piece + 1, "point"), local);
}

function bezierPoint(points: CurvePoints, t: number): Checkpoint {
  return combine({
    source: `bezier(${points.map(({ source }) => source).join(", ")}, ${t})`,
    inputs: points,
    integersFrom: at(points, t < 0.5 ? 0 : points.length - 1, "point"),
    blend: (_range, parts, out) => casteljauInto(parts, t, out),
  });
}

/**
 * Computes the point at `t` of a Bezier curve: interpolates between neighbours, then between the results,
 * until one is left.
 */
function casteljauInto(parts: readonly Elements[], t: number, out: Elements): void {
  const dtype = parts.some((part) => part.dtype === "f64") ? "f64" : "f32";
  const row: Elements[] = [...parts];
  for (let length = row.length - 1; length >= 1; length--) {
    for (let k = 0; k < length; k++) {
      const [left, right] = [at(row, k, "point"), at(row, k + 1, "point")];
      const next = length === 1 ? out : parts.includes(left) ? floats(dtype, out.data.length) : left;
      lerpInto(left, right, t, next);
      row[k] = next;
    }
  }
}

function floats(dtype: "f32" | "f64", length: number): Elements {
  return dtype === "f64"
    ? { dtype, data: new Float64Array(length) }
    : { dtype, data: new Float32Array(length) };
}
