import { type DrawableResult, describeResult } from "../result/describe-result.ts";
import { drawSvg } from "./draw-svg.ts";
import { FIGURE_WIDTHS } from "./figure.ts";

/** A figure as a file. */
export interface RenderedFigure {
  /** In kebab-case, unique among the figures of a result; a file name without its ending. */
  readonly name: string;
  /** One `<svg>` element with its styles, light or dark as the reader prefers. */
  readonly svg: string;
}

/**
 * Draws the figures of a result's page, each as an SVG that stands alone.
 *
 * @throws TypeError if the result has nothing to draw, or contradicts itself
 */
export async function renderFigures(result: DrawableResult): Promise<RenderedFigure[]> {
  const figures = describeResult(result).sections.flatMap((section) => section.figures);
  return Promise.all(
    figures.map(async ({ name, words, size, draw }) => ({
      name,
      svg: await drawSvg(words, (plot) => draw(plot, FIGURE_WIDTHS[size]), { name, theme: "auto" }),
    })),
  );
}
