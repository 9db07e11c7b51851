import type { BarrierPoint } from "../barrier-result.ts";
import type { BarrierCurve } from "./barrier-curve.ts";

/** Perplexities of all curves at one place. */
export interface PerplexityRow {
  /** Name of the place, such as `perplexity at A`. */
  readonly name: string;
  /**
   * Perplexity of each curve at this place, in the order of the curves; null for a curve without perplexity.
   */
  readonly values: readonly (number | null)[];
}

/** Places whose perplexity is shown, each with a test of whether a point of a curve is there. */
const PLACES: readonly (readonly [
  name: string,
  isPlace: (point: BarrierPoint, curve: BarrierCurve) => boolean,
])[] = [
  ["perplexity at A", ({ t }) => t === 0],
  ["perplexity at B", ({ t }) => t === 1],
  ["perplexity at the barrier", ({ t }, { result }) => t === result.barrier.loss.at],
];

/**
 * Lists the perplexities of language models at both ends of each curve, and where its loss rises most above
 * the chord; returns no rows if no curve has perplexities.
 */
export function perplexityRows(curves: readonly BarrierCurve[]): readonly PerplexityRow[] {
  const rows = PLACES.map(([name, isPlace]) => ({
    name,
    values: curves.map(
      (curve) => curve.result.points.find((point) => isPlace(point, curve))?.perplexity ?? null,
    ),
  }));
  return rows.filter(({ values }) => values.some((value) => value !== null));
}
