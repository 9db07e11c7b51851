import { at } from "@isthmus/core";
import {
  type BarrierPlot,
  formatBarrier,
  formatMeasure,
  formatPlace,
  type Measure,
  measureWords,
} from "@isthmus/findings";
import { type BarrierCurve, lossesOf } from "./barrier-curve.ts";

/** Choice of the curves and of the measure that a figure of barriers shows. */
export interface BarrierChoice {
  /** Measure on the vertical axis, such as loss or error. */
  readonly measure: Measure;
  /**
   * Indices of the curves to draw; they keep the colours that they have among all. An empty list draws all of
   * them.
   */
  readonly only?: readonly number[];
}

/** Figure of barrier curves, and its description in words for readers who cannot see it. */
export interface WordedBarrierPlot {
  /** Contents of the figure, as data. */
  readonly plot: BarrierPlot;
  /** Description of the curves in words: both ends and the barrier of each. */
  readonly words: string;
}

/** Describes curves along a path with their barriers. */
export function barrierPlot(
  curves: readonly BarrierCurve[],
  { measure, only = [] }: BarrierChoice,
): WordedBarrierPlot {
  const shown = curves.flatMap(({ label, result }, style) =>
    only.length === 0 || only.includes(style) ? [{ label, result, style }] : [],
  );
  const { name, axis } = measureWords(measure, lossesOf(curves), ...shown.map(({ result }) => result.data));
  const plot: BarrierPlot = {
    kind: "barrier",
    measure,
    label: axis,
    curves: shown.map(({ label, style, result: { points, barrier, interval } }) => ({
      label,
      style,
      points: points.map((point) => ({ t: point.t, value: point[measure] })),
      barrier: { at: barrier[measure].at, chord: barrier[measure].chord },
      ...(interval && { interval: { low: interval[measure].low, high: interval[measure].high } }),
    })),
  };
  return {
    plot,
    words: `${name} along the path. ${plot.curves.map((curve) => wordsOf(curve, measure)).join("; ")}`,
  };
}

function wordsOf({ label, points, barrier }: BarrierPlot["curves"][number], measure: Measure): string {
  const [first, last] = [0, points.length - 1].map((index) =>
    formatMeasure(at(points, index, "point").value, measure),
  );
  return `${label}: ${first} at A, ${last} at B, barrier ${formatBarrier(barrier.chord, measure)} at t = ${formatPlace(barrier.at)}`;
}
