import { at } from "@isthmus/core";
import type { Matrix } from "../matrix.ts";
import type { EigenRows } from "./eigen-rows.ts";

/** An eigenvector of the whole that the coupling does not change. */
interface SingleDirection {
  readonly value: number;
  /** Eigenvector, `[n]`. */
  readonly vector: Float64Array;
}

/** Directions of two halves that are coupled: `diag(poles) + rho z z^T` in their coordinates. */
export interface CoupledDirections {
  /** Poles `[k]`, rising, all different. */
  readonly poles: Float64Array;
  /** Squares of z, `[k]`. */
  readonly squares: Float64Array;
  /** Signs of z, 1 or -1, `[k]`. */
  readonly signs: Float64Array;
  /** Factor of the coupling, at least 0. */
  readonly rho: number;
  /** Place of each pole among the directions sorted by halves (upper, both, lower), `[k]`. */
  readonly order: Int32Array;
  /**
   * Parts of the directions in the upper half, one a row, `[directions, upper extent]`; turned directions
   * have parts in both halves.
   */
  readonly upper: Matrix;
  /** Parts of the directions in the lower half, one a row, `[directions, lower extent]`. */
  readonly lower: Matrix;
  /** Places, in `order`, of the first direction in each half. */
  readonly places: { readonly upper: number; readonly lower: number };
  /** Eigenvectors of the whole that the coupling does not change, with their eigenvalues. */
  readonly single: readonly SingleDirection[];
}

/** A direction in one half, or in both after it was turned. */
interface Direction {
  value: number;
  z: number;
  /** Parts of the direction in each half; undefined if a part is zero. */
  upper: Float64Array | undefined;
  lower: Float64Array | undefined;
}

/**
 * Separates directions that the coupling of two halves does not change: directions whose element of the
 * coupling vector is negligible, or can be made so by turning two directions with nearly equal values.
 *
 * Source: Dongarra and Sorensen, A fully parallel algorithm for the symmetric eigenvalue problem, 1987,
 * section 4.
 */
export function deflate(
  [first, second]: readonly [EigenRows, EigenRows],
  between: number,
): CoupledDirections {
  const sizes = [first.vectors.columns, second.vectors.columns] as const;
  const [m, l] = sizes;
  // The coupling vector has length sqrt 2 over both halves; this makes it 1.
  const scale = Math.SQRT1_2;
  const rho = 2 * Math.abs(between);
  const rowOf = ({ vectors: { columns, data } }: EigenRows, i: number) =>
    data.slice(i * columns, (i + 1) * columns) as Float64Array;
  const all: Direction[] = [
    ...Array.from(first.values, (value, i): Direction => {
      const upper = rowOf(first, i);
      return { value, z: scale * at(upper, m - 1, "element"), upper, lower: undefined };
    }),
    ...Array.from(second.values, (value, i): Direction => {
      const lower = rowOf(second, i);
      return { value, z: scale * Math.sign(between) * at(lower, 0, "element"), upper: undefined, lower };
    }),
  ].sort((x, y) => x.value - y.value);
  const { coupled, single } = separate(all, rho);
  const groups = [
    coupled.filter(({ lower }) => lower === undefined),
    coupled.filter(({ upper, lower }) => upper !== undefined && lower !== undefined),
    coupled.filter(({ upper }) => upper === undefined),
  ].flat();
  const places = new Map(groups.map((direction, place) => [direction, place]));
  const uppers = coupled.filter(({ upper }) => upper !== undefined).length;
  const lowers = coupled.filter(({ lower }) => lower !== undefined).length;
  return {
    rho,
    poles: Float64Array.from(coupled, ({ value }) => value),
    squares: Float64Array.from(coupled, ({ z }) => z * z),
    signs: Float64Array.from(coupled, ({ z }) => Math.sign(z)),
    order: Int32Array.from(coupled, (direction) => places.get(direction) as number),
    upper: stack(
      groups.slice(0, uppers).map(({ upper }) => upper),
      m,
    ),
    lower: stack(
      groups.slice(groups.length - lowers).map(({ lower }) => lower),
      l,
    ),
    places: { upper: 0, lower: groups.length - lowers },
    single: single.map(({ value, upper, lower }) => {
      const vector = new Float64Array(m + l);
      if (upper !== undefined) vector.set(upper);
      if (lower !== undefined) vector.set(lower, m);
      return { value, vector };
    }),
  };
}

/** Divides directions, with rising values, into coupled and single ones. */
function separate(all: readonly Direction[], rho: number) {
  const largest = all.reduce((most, { value }) => Math.max(most, Math.abs(value)), rho);
  const tolerance = 8 * Number.EPSILON * largest;
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
  for (const half of ["upper", "lower"] as const) {
    const x = from[half];
    const y = to[half];
    if (x === undefined && y === undefined) continue;
    const size = (x ?? y)?.length as number;
    const turnedX = new Float64Array(size);
    const turnedY = new Float64Array(size);
    for (let j = 0; j < size; j++) {
      const [ofX, ofY] = [
        x === undefined ? 0 : at(x, j, "element"),
        y === undefined ? 0 : at(y, j, "element"),
      ];
      turnedX[j] = cosine * ofX + sine * ofY;
      turnedY[j] = cosine * ofY - sine * ofX;
    }
    from[half] = turnedX;
    to[half] = turnedY;
  }
  return true;
}

function stack(rows: readonly (Float64Array | undefined)[], columns: number): Matrix {
  const data = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    if (row !== undefined) data.set(row, i * columns);
  });
  return { rows: rows.length, columns, data };
}
