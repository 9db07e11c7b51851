import { at, UsageError } from "@isthmus/core";
import { type LossWords, lossWords } from "@isthmus/findings";
import type { BarrierResult } from "../barrier-result.ts";
import type { BarrierDecomposition } from "../decomposition-result.ts";

/** Labels of the curves of one pair of networks. */
export const BARRIER_LABELS = {
  /** Label for networks as given, whether or not their files hold aligned networks. */
  given: "as given",
  /** Label for the networks once the units of B are in the order of A's. */
  aligned: "aligned",
} as const;

/** One labelled curve of a figure. */
export interface BarrierCurve {
  /** Short name for the legend, for example `aligned`. */
  readonly label: string;
  /** Barrier in the form that `measureBarrier` returns. */
  readonly result: BarrierResult;
  /** Decomposition of the same barrier half-way. */
  readonly decomposition?: BarrierDecomposition;
}

/** One curve of a figure, whose losses may be with temperatures. */
export interface ShownCurve extends BarrierCurve {
  /**
   * Temperature at each point; absent if losses are without temperatures. Errors are the same in both cases.
   */
  readonly temperatures?: readonly number[];
}

/** Returns the curves, each followed by a curve of its losses with temperatures, if it has them. */
export function withTemperedCurves(curves: readonly BarrierCurve[]): ShownCurve[] {
  return curves.flatMap((curve) => {
    const { label, result } = curve;
    const { tempered, ...plain } = result;
    if (tempered === undefined) return [curve];
    const { interval } = plain;
    const fitted: BarrierResult = {
      ...plain,
      points: tempered.points.map((point, index) => ({ ...at(plain.points, index, "point"), ...point })),
      barrier: { ...plain.barrier, loss: tempered.barrier },
      ...(interval && tempered.interval && { interval: { ...interval, loss: tempered.interval } }),
    };
    const temperatures = tempered.points.map(({ temperature }) => temperature);
    return [curve, { label: `${label}, with temperature`, result: fitted, temperatures }];
  });
}

/** Returns the words for the losses of curves, which all have the same kind of loss. */
export function lossesOf(curves: readonly BarrierCurve[]): LossWords {
  return lossWords(at(curves, 0, "curve").result);
}

/**
 * Returns whether errors were measured: networks with a loss of squared or absolute differences have no
 * classification errors.
 */
export function measuresErrors({ points }: Pick<BarrierResult, "points">): boolean {
  return points.some(({ error }) => !Number.isNaN(error));
}

/**
 * Checks that curves can be drawn.
 * @throws UsageError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export function assertDrawableCurves(curves: readonly BarrierCurve[]): void {
  if (curves.length === 0)
    throw new UsageError("Cannot draw a barrier as at least one curve is needed: got 0");
  for (const { label, result } of curves) {
    const { points, tempered } = result;
    if (points.length < 2) {
      throw new UsageError(
        `Cannot draw "${label}" as a curve needs at least 2 points: it has ${points.length}`,
      );
    }
    if (tempered && tempered.points.length !== points.length) {
      throw new UsageError(
        `Cannot draw "${label}" as every point needs a temperature, or none: ${tempered.points.length} of ${points.length} have one`,
      );
    }
  }
  for (const { label, result, temperatures = [] } of withTemperedCurves(curves)) {
    if (!temperatures.every(Number.isFinite)) {
      throw new UsageError(
        `Cannot draw "${label}" as every temperature must be finite: they are ${temperatures.join(", ")}`,
      );
    }
    assertFinite(label, result);
  }
}

/** Checks that losses and errors of a curve are finite; errors may be missing altogether. */
function assertFinite(label: string, { points }: BarrierResult): void {
  const hasError = measuresErrors({ points });
  for (const { t, loss, error } of points) {
    if ([t, loss, ...(hasError ? [error] : [])].every(Number.isFinite)) continue;
    throw new UsageError(
      `Cannot draw "${label}" as every value must be finite: at t = ${t} the loss is ${loss} and the error ${error}`,
    );
  }
}
