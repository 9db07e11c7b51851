import { resolveOptions } from "@isthmus/core";
import { drawSvg } from "./figure/draw-svg.ts";
import { drawingOf } from "./figure/drawers.ts";
import { FIGURE_WIDTHS } from "./figure/drawing.ts";
import { assertTheme, type Theme } from "./figure/palette.ts";
import { describeResult } from "./result/describe-result.ts";
import type { Drawable } from "./result/drawable-result.ts";

/** A figure as the contents of an SVG file. */
export interface RenderedFigure {
  /**
   * Name in kebab-case, unique among the figures of a result; serves as the name of a file without its
   * ending.
   */
  readonly name: string;
  /** One `<svg>` element that any program can draw: its colours are literal, and it needs no style sheet. */
  readonly svg: string;
}

/** Options of {@link renderFigures}. */
export interface FiguresOptions {
  /** Appearance: colours for a light or for a dark background. @defaultValue "light" */
  readonly theme?: Theme;
}

/** Defaults of {@link renderFigures}. */
export const FIGURES_DEFAULTS: Required<FiguresOptions> = { theme: "light" };

/**
 * Draws the figures of a result's page, each as an SVG that stands alone.
 *
 * A list of named barriers, `[{ label: "seeds 0 and 1", result }, ...]`, is drawn in one figure for the loss
 * and one for the error.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself, or there is no such theme
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { BarrierResult } from "@isthmus/barrier";
 * import { renderFigures } from "@isthmus/report";
 *
 * const values = { chord: 1.4, meanOfEndpoints: 1.4, maxEndpoint: 1.4, midpoint: 1.4, at: 0.5 };
 * const result: BarrierResult = {
 *   kind: "barrier",
 *   points: [0, 0.5, 1].map((t) => ({ t, loss: t === 0.5 ? 1.5 : 0.1, error: 0.02 })),
 *   barrier: { loss: values, error: values },
 *   a: "a.pt",
 *   b: "b.pt",
 *   data: "mnist:test",
 *   examples: 10_000,
 *   path: "linear",
 *   statistics: "keep",
 *   engine: "onnxruntime",
 * }; // as measureBarrier returns it
 * const [loss] = await renderFigures(result, { theme: "dark" }); // what to write as loss.svg
 * assert(loss?.name === "loss" && loss.svg.startsWith("<svg"));
 * ```
 */
export async function renderFigures(
  result: Drawable,
  options: FiguresOptions = {},
): Promise<RenderedFigure[]> {
  const { theme } = resolveOptions("draw figures", FIGURES_DEFAULTS, options);
  assertTheme(theme);
  const figures = (await describeResult(result)).sections.flatMap((section) => section.figures);
  return Promise.all(
    figures.map(async ({ name, words, size, plot: shown }) => ({
      name,
      svg: await drawSvg(words, (plot) => drawingOf(shown)(plot, FIGURE_WIDTHS[size]), { name, theme }),
    })),
  );
}
