import { at } from "@isthmus/core";
import type { TemperedLoss } from "@isthmus/graph";
import type { BarrierInterval, BarrierPoint, BarrierResult, TemperedCurve } from "./barrier-result.ts";
import { barrierValues } from "./barrier-values.ts";
import { bootstrapBarrier, type ExampleCurve } from "./bootstrap-barrier.ts";
import type { CorrectedEvaluation } from "./create-corrected-evaluator.ts";

/** Place of a path and the evaluation of its network. */
export interface CurvePoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Loss and error of the network at this place. */
  readonly evaluation: CorrectedEvaluation;
}

/** Converts a place and its evaluation to a point of a result. */
export function pointOf({ t, evaluation: { loss, error, perplexity } }: CurvePoint): BarrierPoint {
  return { t, loss, error, ...(perplexity === undefined ? {} : { perplexity }) };
}

/** Options of {@link summarizeCurve}. */
interface SummaryOptions {
  /** Number of resamples for the intervals; 0 for none. */
  readonly bootstrap: number;
  /** Coverage of the intervals, in `(0, 1)`. */
  readonly level: number;
  readonly seed: number;
}

/**
 * Computes the barriers of a curve and, if requested, their intervals; if temperatures were fitted, also
 * those with temperatures.
 *
 * @param curve - ascending in t, from 0 to 1
 */
export function summarizeCurve(
  curve: readonly CurvePoint[],
  options: SummaryOptions,
): Pick<BarrierResult, "points" | "barrier" | "interval" | "tempered"> {
  const t = curve.map((point) => point.t);
  const points = curve.map(pointOf);
  const losses = points.map(({ loss }) => loss);
  const errors = points.map(({ error }) => error);
  const tempered = curve.flatMap(({ evaluation }) => evaluation.tempered ?? []);
  const interval = intervalsOf(curve, tempered, options);
  return {
    points,
    barrier: { loss: barrierValues(t, losses), error: barrierValues(t, errors) },
    ...(interval && { interval: interval.plain }),
    ...(tempered.length > 0 && { tempered: temperedCurve(t, tempered, interval?.tempered) }),
  };
}

/** Intervals of a curve, and intervals of its losses with temperatures if it has them. */
interface Intervals {
  readonly plain: NonNullable<BarrierResult["interval"]>;
  readonly tempered: BarrierInterval | undefined;
}

/** Computes the intervals from the same resamples; returns none if no resamples are requested. */
function intervalsOf(
  curve: readonly CurvePoint[],
  tempered: readonly TemperedLoss[],
  { bootstrap, level, seed }: SummaryOptions,
): Intervals | undefined {
  if (bootstrap === 0) return undefined;
  const t = curve.map((point) => point.t);
  const lossesOf = (measured: readonly { readonly losses: Float64Array }[]) =>
    measured.map(({ losses }) => losses);
  const plain = lossesOf(curve.map(({ evaluation }) => evaluation));
  const errors = curve.map(({ evaluation }) => evaluation.right.map((correct) => 1 - correct));
  const all = [plain, errors, ...(tempered.length > 0 ? [lossesOf(tempered)] : [])];
  const curves = all.map((values): ExampleCurve => ({ t, values }));
  const intervals = bootstrapBarrier(curves, { resamples: bootstrap, level, seed });
  const [loss, error] = [at(intervals, 0, "interval"), at(intervals, 1, "interval")];
  return { plain: { level, resamples: bootstrap, seed, loss, error }, tempered: intervals[2] };
}

function temperedCurve(
  t: readonly number[],
  tempered: readonly TemperedLoss[],
  interval: BarrierInterval | undefined,
): TemperedCurve {
  const losses = tempered.map(({ loss }) => loss);
  return {
    points: tempered.map(({ temperature, loss, perplexity }, index) => ({
      t: at(t, index, "place"),
      temperature,
      loss,
      ...(perplexity === undefined ? {} : { perplexity }),
    })),
    barrier: barrierValues(t, losses),
    ...(interval && { interval }),
    ...at(tempered, 0, "place").fitted,
  };
}
