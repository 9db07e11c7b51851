import { at } from "@isthmus/core";
import { exactNumerators, normalizeInPlace, secularQuotients, secularRoot } from "../kernels/secular.ts";
import type { Matrix } from "../matrix.ts";
import type { ProductSteps } from "../products/product-steps.ts";
import { type CoupledDirections, type Direction, deflate, joinHalves } from "./deflate.ts";
import { turnDirections, type WholeDirection } from "./turn-directions.ts";

/** Singular values and vectors of a matrix `[n, n]` or `[n, n + 1]`, one vector a row. */
export interface SingularRows {
  /** Singular values `[n]`, rising. */
  readonly values: Float64Array;
  /** Left singular vectors, `[n, n]`. */
  readonly left: Matrix;
  /** Right singular vectors, `[n, columns]`. */
  readonly right: Matrix;
  /** Unit vector `[n + 1]` that a matrix with one column more than rows maps to zero. */
  readonly nothing: Float64Array | undefined;
}

/** The row between two halves of a matrix with two diagonals. */
export interface MiddleRow {
  /** Element on the diagonal, in the last column of the upper half. */
  readonly head: number;
  /** Element right of the diagonal, in the first column of the lower half. */
  readonly next: number;
}

/** Places of the sides in the directions. */
const [LEFT, RIGHT] = [0, 1];

/**
 * Computes the singular values and vectors of two diagonalized parts of a matrix and the row between them.
 *
 * In the coordinates of the singular vectors the matrix is diagonal but for this row `z`, so that the squares
 * of its singular values are roots of a secular equation, whose poles are the squares of the singular values
 * of both parts.
 * @param halves - the upper part, which has one column more than rows, and the lower one
 */
export function* coupleSingular(
  halves: readonly [SingularRows, SingularRows],
  row: MiddleRow,
): ProductSteps<SingularRows> {
  const [upper, lower] = halves;
  const all = directionsOf(halves, row);
  const { pinned, nothing } = rowDirection(halves, row);
  const largest = all.reduce(
    (most, { value }) => Math.max(most, value),
    Math.max(Math.abs(row.head), Math.abs(row.next)),
  );
  // Squares of small numbers would vanish.
  const scale = largest === 0 ? 1 : 2 ** -Math.round(Math.log2(largest));
  for (const direction of [...all, pinned]) {
    direction.value *= scale;
    direction.z *= scale;
  }
  const tolerance = 8 * Number.EPSILON * largest * scale;
  pinned.z = Math.max(pinned.z, tolerance);
  const coupled = deflate(largest === 0 ? [pinned, ...all] : all, {
    rho: 1,
    tolerance,
    extents: [
      [upper.left.columns + 1, lower.left.columns],
      [upper.right.columns, lower.right.columns],
    ],
    ...(largest > 0 && { pinned }),
  });
  // A value next to that of the pinned direction, 0, must differ from it.
  if (coupled.values.length > 1) coupled.values[1] = Math.max(at(coupled.values, 1, "value"), tolerance / 2);
  const { rising, left, right } = yield* vectorsOf(coupled);
  return { values: Float64Array.from(rising, ({ value }) => value / scale), left, right, nothing };
}

/** Solves the secular equation of coupled directions, and computes the vectors of both sides. */
function* vectorsOf(
  coupled: CoupledDirections,
): ProductSteps<Pick<SingularRows, "left" | "right"> & { readonly rising: readonly WholeDirection[] }> {
  const { values: poles, order, single } = coupled;
  const differencesInto = (origin: number, out: Float64Array) => {
    const from = poles[origin] as number;
    for (let j = 0; j < out.length; j++) {
      const pole = poles[j] as number;
      out[j] = (pole - from) * (pole + from);
    }
  };
  const equation = { squares: coupled.z.map((z) => z * z), rho: 1, differencesInto };
  const away = new Float64Array(poles.length);
  const roots = Array.from(poles, (_, i) => secularRoot(equation, i, away));
  const rising: WholeDirection[] = [
    ...roots.map((root) => ({ value: Math.sqrt(at(poles, root.pole, "pole") ** 2 + root.distance), root })),
    ...single.map(({ value }, place) => ({ value, single: place })),
  ].sort((x, y) => x.value - y.value);
  const z = exactNumerators(differencesInto, roots).map(
    (length, j) => length * Math.sign(at(coupled.z, j, "element")),
  );
  const right = yield* turnDirections(coupled, RIGHT, rising, (root, out) => {
    secularQuotients({ z, order, differencesInto }, root, out);
    normalizeInPlace(out);
  });
  const ofLeft = { z: z.map((element, j) => element * at(poles, j, "pole")), order, differencesInto };
  const left = yield* turnDirections(coupled, LEFT, rising, (root, out) => {
    secularQuotients(ofLeft, root, out);
    out[at(order, 0, "place")] = -1;
    normalizeInPlace(out);
  });
  return { rising, left, right };
}

/** Lists the singular vectors of both halves with their elements of the row between them. */
function directionsOf(
  [upper, lower]: readonly [SingularRows, SingularRows],
  { head, next }: MiddleRow,
): Direction[] {
  const rowOf = ({ columns, data }: Matrix, i: number) =>
    data.slice(i * columns, (i + 1) * columns) as Float64Array;
  return [
    ...Array.from(upper.values, (value, i): Direction => {
      const left = new Float64Array(upper.left.columns + 1);
      left.set(rowOf(upper.left, i));
      const right = rowOf(upper.right, i);
      const z = head * at(right, right.length - 1, "element");
      return { value, z, sides: [left, right].map((part) => ({ upper: part, lower: undefined })) };
    }),
    ...Array.from(lower.values, (value, i): Direction => {
      const [left, right] = [rowOf(lower.left, i), rowOf(lower.right, i)];
      const z = next * at(right, 0, "element");
      return { value, z, sides: [left, right].map((part) => ({ upper: undefined, lower: part })) };
    }),
  ];
}

/**
 * Makes the direction of the row between the halves, of value 0, whose right vector lies among the vectors
 * that the halves map to zero, and the unit vector among them that the row maps to zero.
 */
function rowDirection([upper, lower]: readonly [SingularRows, SingularRows], { head, next }: MiddleRow) {
  const ofUpper = upper.nothing ?? new Float64Array(upper.right.columns);
  const ofLower = lower.nothing;
  const [x, y] = [
    head * at(ofUpper, ofUpper.length - 1, "element"),
    next * (ofLower === undefined ? 0 : at(ofLower, 0, "element")),
  ];
  const length = Math.hypot(x, y);
  const [cosine, sine] = length === 0 ? [1, 0] : [x / length, y / length];
  const unit = new Float64Array(upper.left.columns + 1);
  unit[unit.length - 1] = 1;
  const pinned: Direction = {
    value: 0,
    z: length,
    sides: [
      { upper: unit, lower: undefined },
      { upper: ofUpper.map((v) => cosine * v), lower: ofLower?.map((v) => sine * v) },
    ],
  };
  if (ofLower === undefined) return { pinned, nothing: undefined };
  const nothing = new Float64Array(ofUpper.length + ofLower.length);
  const turned = { upper: ofUpper.map((v) => -sine * v), lower: ofLower.map((v) => cosine * v) };
  joinHalves(turned, ofUpper.length, nothing);
  return { pinned, nothing };
}
