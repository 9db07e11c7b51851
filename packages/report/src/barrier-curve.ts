import type { BarrierResult } from "@isthmus/barrier";
import { at, UsageError } from "@isthmus/core";

/** One named curve of a picture. */
export interface BarrierCurve {
  /** Short name for the legend, for example `aligned`. */
  readonly label: string;
  readonly result: BarrierResult;
}

/**
 * What a curve shows: the loss in nats, or the error, which is the share of examples, or of tokens, predicted
 * wrongly.
 */
export type Measure = "loss" | "error";

/**
 * Checks that curves can be drawn.
 * @throws UsageError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export function assertDrawable(curves: readonly BarrierCurve[]): void {
  if (curves.length === 0)
    throw new UsageError("Cannot draw a barrier as at least one curve is needed: got 0");
  for (const { label, result } of curves) {
    if (result.points.length < 2) {
      throw new UsageError(
        `Cannot draw "${label}" as a curve needs at least 2 points: it has ${result.points.length}`,
      );
    }
    for (const { t, loss, error } of result.points) {
      if (![t, loss, error].every(Number.isFinite)) {
        throw new UsageError(
          `Cannot draw "${label}" as every value must be finite: at t = ${t} the loss is ${loss} and the error ${error}`,
        );
      }
    }
  }
}

/** Computes the height, at place `t`, of the chord: the straight line between the ends of a curve. */
export function chordAt(result: BarrierResult, measure: Measure, t: number): number {
  const first = at(result.points, 0, "point")[measure];
  const last = at(result.points, result.points.length - 1, "point")[measure];
  return (1 - t) * first + t * last;
}
