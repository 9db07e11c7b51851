import type { BarrierResult } from "@isthmus/barrier";

/** One named curve of a picture. */
export interface BarrierCurve {
  /** Short name for the legend, for example `aligned`. */
  readonly label: string;
  readonly result: BarrierResult;
}

/** What a curve shows: the loss in nats, or the error: the share of examples, or of tokens, whose prediction is wrong. */
export type Measure = "loss" | "error";

/**
 * Checks that curves can be drawn.
 * @throws TypeError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export function assertDrawable(curves: readonly BarrierCurve[]): void {
  if (curves.length === 0)
    throw new TypeError("Cannot draw a barrier as at least one curve is needed: got 0");
  for (const { label, result } of curves) {
    if (result.points.length < 2) {
      throw new TypeError(
        `Cannot draw "${label}" as a curve needs at least 2 points: it has ${result.points.length}`,
      );
    }
    for (const { t, loss, error } of result.points) {
      if (![t, loss, error].every(Number.isFinite)) {
        throw new TypeError(
          `Cannot draw "${label}" as every value must be finite: at t = ${t} the loss is ${loss} and the error ${error}`,
        );
      }
    }
  }
}

/** Height of the chord, the straight line between the ends of a curve, at place `t`. */
export function chordAt(result: BarrierResult, measure: Measure, t: number): number {
  const first = result.points[0]?.[measure] ?? 0;
  const last = result.points.at(-1)?.[measure] ?? 0;
  return (1 - t) * first + t * last;
}
