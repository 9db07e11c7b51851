import { at } from "@isthmus/core";
import type { Matrix } from "../matrix.ts";

/** A vector over two halves; undefined if its part in a half is zero. */
export interface HalvedVector {
  /** Part in the upper half. */
  upper: Float64Array | undefined;
  /** Part in the lower half. */
  lower: Float64Array | undefined;
}

/** A direction of two diagonalized halves: one eigenvector, or a left and a right singular vector. */
export interface Direction {
  /** Eigenvalue or singular value. */
  value: number;
  /** Element of the coupling vector. */
  z: number;
  /** Its vectors, one for each side of the matrix. */
  readonly sides: readonly HalvedVector[];
}

/** Singular vectors or eigenvectors of two halves; the coupling of the halves turns some of them. */
export interface CoupledDirections {
  /** Values `[k]` of the coupled directions, rising, all different. */
  readonly values: Float64Array;
  /** Elements of the coupling vector, `[k]`. */
  readonly z: Float64Array;
  /** Place of each value among the directions sorted by halves (upper, both, lower), `[k]`. */
  readonly order: Int32Array;
  /** Parts of the coupled directions, for each side of the matrix. */
  readonly sides: readonly HalvedRows[];
  /** Directions that the coupling does not change. */
  readonly single: readonly Direction[];
}

/** Vectors of one side, sorted by halves. */
export interface HalvedRows {
  /** Parts in the upper half of the first directions, one a row, `[directions, upper extent]`. */
  readonly upper: Matrix;
  /** Parts in the lower half of the last directions, one a row, `[directions, lower extent]`. */
  readonly lower: Matrix;
  /** Place, in `order`, of the first direction with a part in the lower half. */
  readonly firstOfLower: number;
}

/** Numbers of a coupling by which {@link deflate} decides. */
export interface Deflation {
  /** Factor of the coupling vector. */
  readonly rho: number;
  /** Change of the matrix that is negligible. */
  readonly tolerance: number;
  /** Extents of the upper and the lower half, for each side of the matrix. */
  readonly extents: readonly (readonly [number, number])[];
  /** A direction before all others, which the coupling does not turn. */
  readonly pinned?: Direction;
}

/**
 * Separates directions that the coupling of two halves does not change: directions whose element of the
 * coupling vector is negligible, or can be made so by turning two directions with nearly equal values.
 *
 * Source: Dongarra and Sorensen, A fully parallel algorithm for the symmetric eigenvalue problem, 1987,
 * section 4.
 * @param all - directions, which are overwritten
 */
export function deflate(
  all: readonly Direction[],
  { rho, tolerance, extents, pinned }: Deflation,
): CoupledDirections {
  const rising = [...all].sort((x, y) => x.value - y.value);
  const { coupled, single } = separate(rising, rho, tolerance);
  if (pinned !== undefined) coupled.unshift(pinned);
  const isIn = (half: "upper" | "lower") => (direction: Direction) =>
    direction.sides.some((side) => side[half] !== undefined);
  const inUpper = coupled.filter(isIn("upper"));
  const inLower = new Set(coupled.filter(isIn("lower")));
  const sorted = [
    ...inUpper.filter((direction) => !inLower.has(direction)),
    ...inUpper.filter((direction) => inLower.has(direction)),
    ...coupled.filter((direction) => !isIn("upper")(direction)),
  ];
  const places = new Map(sorted.map((direction, place) => [direction, place]));
  const firstOfLower = sorted.length - inLower.size;
  return {
    values: Float64Array.from(coupled, ({ value }) => value),
    z: Float64Array.from(coupled, ({ z }) => z),
    order: Int32Array.from(coupled, (direction) => places.get(direction) as number),
    sides: extents.map(([upper, lower], side) => {
      const vectors = sorted.map(({ sides }) => at(sides, side, "side"));
      return {
        upper: stack(
          vectors.slice(0, inUpper.length).map((vector) => vector.upper),
          upper,
        ),
        lower: stack(
          vectors.slice(firstOfLower).map((vector) => vector.lower),
          lower,
        ),
        firstOfLower,
      };
    }),
    single,
  };
}

/** Writes a vector over two halves. */
export function joinHalves({ upper, lower }: HalvedVector, firstOfLower: number, out: Float64Array): void {
  if (upper !== undefined) out.set(upper);
  if (lower !== undefined) out.set(lower, firstOfLower);
}

/** Divides directions, with rising values, into coupled and single ones. */
function separate(all: readonly Direction[], rho: number, tolerance: number) {
  const coupled: Direction[] = [];
  const single: Direction[] = [];
  let last: Direction | undefined;
  for (const direction of all) {
    if (rho * Math.abs(direction.z) <= tolerance) {
      single.push(direction);
      continue;
    }
    if (last !== undefined && turnIfNear(last, direction, tolerance)) single.push(last);
    else if (last !== undefined) coupled.push(last);
    last = direction;
  }
  if (last !== undefined) coupled.push(last);
  return { coupled, single };
}

/** Turns two directions so that the first has no part in the coupling, if their values are near enough. */
function turnIfNear(from: Direction, to: Direction, tolerance: number): boolean {
  const length = Math.hypot(from.z, to.z);
  const cosine = to.z / length;
  const sine = -from.z / length;
  const gap = to.value - from.value;
  if (Math.abs(gap * cosine * sine) > tolerance) return false;
  to.z = length;
  from.z = 0;
  const middle = from.value * cosine ** 2 + to.value * sine ** 2;
  to.value = from.value * sine ** 2 + to.value * cosine ** 2;
  from.value = middle;
  from.sides.forEach((ofFrom, side) => {
    const ofTo = at(to.sides, side, "side");
    for (const half of ["upper", "lower"] as const) {
      const [x, y] = [ofFrom[half], ofTo[half]];
      const size = (x ?? y)?.length;
      if (size === undefined) continue;
      [ofFrom[half], ofTo[half]] = turn(x ?? new Float64Array(size), y ?? new Float64Array(size), {
        cosine,
        sine,
      });
    }
  });
  return true;
}

function turn(
  x: Float64Array,
  y: Float64Array,
  { cosine, sine }: { readonly cosine: number; readonly sine: number },
): [Float64Array, Float64Array] {
  const turnedX = new Float64Array(x.length);
  const turnedY = new Float64Array(x.length);
  for (let j = 0; j < x.length; j++) {
    const [ofX, ofY] = [x[j] as number, y[j] as number];
    turnedX[j] = cosine * ofX + sine * ofY;
    turnedY[j] = cosine * ofY - sine * ofX;
  }
  return [turnedX, turnedY];
}

function stack(rows: readonly (Float64Array | undefined)[], columns: number): Matrix {
  const data = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    if (row !== undefined) data.set(row, i * columns);
  });
  return { rows: rows.length, columns, data };
}
