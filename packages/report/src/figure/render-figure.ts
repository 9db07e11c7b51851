import { resolveOptions } from "@isthmus/core";
import type { Figure } from "@isthmus/findings";
import { drawSvg } from "./draw-svg.ts";
import { drawingOf } from "./drawers.ts";
import { FIGURE_WIDTHS } from "./drawing.ts";
import { assertTheme, type Theme } from "./palette.ts";

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

/** Options of {@link renderFigure}. */
export interface FiguresOptions {
  /** Appearance: colours for a light or for a dark background. @defaultValue "light" */
  readonly theme?: Theme;
}

/** Defaults of {@link renderFigure}. */
export const FIGURES_DEFAULTS: Required<FiguresOptions> = { theme: "light" };

/**
 * Draws one figure of a result, as an SVG that stands alone. A page that shows one kind of result needs only
 * this and that kind: `BARRIER_RESULT.describe(result)` returns sections with figures.
 * @throws UsageError if there is no such theme
 */
export async function renderFigure(
  { name, words, size, plot: shown }: Figure,
  options: FiguresOptions = {},
): Promise<RenderedFigure> {
  const { theme } = resolveOptions("draw figures", FIGURES_DEFAULTS, options);
  assertTheme(theme);
  return {
    name,
    svg: await drawSvg(words, (plot) => drawingOf(shown)(plot, FIGURE_WIDTHS[size]), { name, theme }),
  };
}
