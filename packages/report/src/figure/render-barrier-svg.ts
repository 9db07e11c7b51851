import { assertDrawableCurves, type BarrierCurve, barrierPlot } from "@isthmus/barrier";
import { OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { Measure } from "@isthmus/findings";
import { drawBarrier } from "./draw-barrier.ts";
import { drawSvg } from "./draw-svg.ts";
import { assertTheme, type Theme } from "./palette.ts";

/** Options of {@link renderBarrierSvg}. */
export interface BarrierSvgOptions {
  /** Measure to draw. @defaultValue "loss" */
  readonly measure?: Measure;
  /** Width in pixels, at least 240. @defaultValue 720 */
  readonly width?: number;
  /** Height in pixels, at least 160. @defaultValue 380 */
  readonly height?: number;
  /** Appearance: colours for a light or for a dark background. @defaultValue "light" */
  readonly theme?: Theme;
  /** Indices of the curves to draw, in the colours that they have among all curves. @defaultValue [] (all) */
  readonly only?: readonly number[];
}

/** Defaults of {@link renderBarrierSvg}. */
const BARRIER_SVG_DEFAULTS: Required<BarrierSvgOptions> = {
  measure: "loss",
  width: 720,
  height: 380,
  theme: "light",
  only: [],
};

/**
 * Draws curves along a path as one `<svg>` element that stands alone: every measured point, joined by
 * straight lines, the chord of each curve as a dotted line, and its barrier as a bracket from the chord to
 * the curve, with its interval if it has one.
 *
 * @throws UsageError if there is no curve, or one has fewer than two points or a value that is not finite, or
 *   there is no such theme
 * @throws OutOfRangeError if the figure is smaller than 240 by 160 pixels
 */
export async function renderBarrierSvg(
  curves: readonly BarrierCurve[],
  options: BarrierSvgOptions = {},
): Promise<string> {
  const { measure, width, height, theme, only } = resolveOptions(
    "draw a barrier",
    BARRIER_SVG_DEFAULTS,
    options,
  );
  assertDrawableCurves(curves);
  assertTheme(theme);
  if (!(width >= 240 && height >= 160)) {
    throw new OutOfRangeError(
      `Cannot draw a barrier as a figure needs at least 240 by 160 pixels: got ${width} by ${height}`,
    );
  }
  const { plot: figure, words } = barrierPlot(curves, { measure, only });
  const drawing = drawBarrier(figure, () => height);
  return drawSvg(words, (plot) => drawing(plot, width), {
    name: `barrier-${measure}`,
    theme,
  });
}
