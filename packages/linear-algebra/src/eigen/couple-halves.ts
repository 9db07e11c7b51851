import { at } from "@isthmus/core";
import { exactNumerators, normalizeInPlace, secularQuotients, secularRoot } from "../kernels/secular.ts";
import type { ProductSteps } from "../products/product-steps.ts";
import { type Direction, deflate } from "./deflate.ts";
import type { EigenRows } from "./eigen-rows.ts";
import { turnDirections, type WholeDirection } from "./turn-directions.ts";

/** Coupling of two halves, and the number of eigenvectors of the whole that are computed. */
export interface Coupling {
  /** Element beside the diagonal between the halves. */
  readonly between: number;
  /** Number of eigenvectors of the whole that are computed, of the largest eigenvalues. */
  readonly count: number;
}

/**
 * Computes eigenvalues and eigenvectors of two diagonalized halves that one element couples.
 *
 * @param halves - their eigenvectors; the absolute value of the element between them is taken away from the
 *   diagonals on both sides
 */
export function* coupleHalves(
  halves: readonly [EigenRows, EigenRows],
  { between, count }: Coupling,
): ProductSteps<EigenRows> {
  const [m, l] = halves.map(({ vectors }) => vectors.columns) as [number, number];
  // The coupling vector has length sqrt 2 over both halves; the scale of its elements makes it 1.
  const rho = 2 * Math.abs(between);
  const all = directionsOf(halves, between);
  const largest = all.reduce((most, { value }) => Math.max(most, Math.abs(value)), rho);
  const coupled = deflate(all, { rho, tolerance: 8 * Number.EPSILON * largest, extents: [[m, l]] });
  const { values: poles, order, single } = coupled;
  const differencesInto = (origin: number, out: Float64Array) => {
    const from = poles[origin] as number;
    for (let j = 0; j < out.length; j++) out[j] = (poles[j] as number) - from;
  };
  const equation = { squares: coupled.z.map((z) => z * z), rho, differencesInto };
  const away = new Float64Array(poles.length);
  const roots = Array.from(poles, (_, i) => secularRoot(equation, i, away));
  const rising: WholeDirection[] = [
    ...roots.map((root) => ({ value: at(poles, root.pole, "pole") + root.distance, root })),
    ...single.map(({ value }, place) => ({ value, single: place })),
  ].sort((x, y) => x.value - y.value);
  const chosen = rising.slice(rising.length - count);
  const z = exactNumerators(differencesInto, roots).map(
    (length, j) => length * Math.sign(at(coupled.z, j, "element")),
  );
  const vectors = yield* turnDirections(coupled, 0, chosen, (root, out) => {
    secularQuotients({ z, order, differencesInto }, root, out);
    normalizeInPlace(out);
  });
  return { values: Float64Array.from(rising, ({ value }) => value), vectors };
}

/** Lists the eigenvectors of both halves with their elements of the coupling vector. */
function directionsOf([first, second]: readonly [EigenRows, EigenRows], between: number): Direction[] {
  const rowOf = ({ vectors: { columns, data } }: EigenRows, i: number) =>
    data.slice(i * columns, (i + 1) * columns) as Float64Array;
  const last = first.vectors.columns - 1;
  return [
    ...Array.from(first.values, (value, i): Direction => {
      const upper = rowOf(first, i);
      return { value, z: Math.SQRT1_2 * at(upper, last, "element"), sides: [{ upper, lower: undefined }] };
    }),
    ...Array.from(second.values, (value, i): Direction => {
      const lower = rowOf(second, i);
      const z = Math.SQRT1_2 * Math.sign(between) * at(lower, 0, "element");
      return { value, z, sides: [{ upper: undefined, lower }] };
    }),
  ];
}
