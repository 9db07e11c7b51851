import { resolveOptions } from "@isthmus/core";
import { drawElement } from "./figure/draw-svg.ts";
import { drawingOf } from "./figure/drawers.ts";
import { FIGURE_WIDTHS } from "./figure/drawing.ts";
import { assertTheme } from "./figure/palette.ts";
import { FIGURES_DEFAULTS, type FiguresOptions } from "./figure/render-figure.ts";
import { standAlone } from "./figure/stand-alone.ts";
import { describeResult } from "./result/describe-result.ts";
import type { Drawable } from "./result/drawable-result.ts";

/** A figure as the contents of a PDF file. */
export interface PdfFigure {
  /**
   * Name in kebab-case, unique among the figures of a result; serves as the name of a file without its
   * ending.
   */
  readonly name: string;
  /** Title of the figure: a short description. */
  readonly title: string;
  /** PDF of one page of the size of the figure, with vector graphics and text only. */
  readonly pdf: Uint8Array;
}

/**
 * Draws the figures of a result's page, each as a PDF of one page, for papers.
 *
 * Letters are in Helvetica, which every PDF reader has; letters that are missing from it and from the font of
 * symbols become question marks. The same result gives the same bytes.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself, or there is no such theme
 */
export async function renderPdfFigures(result: Drawable, options: FiguresOptions = {}): Promise<PdfFigure[]> {
  const { theme } = resolveOptions("draw figures", FIGURES_DEFAULTS, options);
  assertTheme(theme);
  // Font metrics are loaded only by the first PDF.
  const { writePdf } = await import("./pdf/write-pdf.ts");
  const figures = (await describeResult(result)).sections.flatMap((section) => section.figures);
  return Promise.all(
    figures.map(async ({ name, title: begin, words, size, plot: shown }) => {
      const title = begin.replace(/[.,:]$/, "");
      const svg = await drawElement((plot) => drawingOf(shown)(plot, FIGURE_WIDTHS[size]));
      standAlone(svg, theme);
      return { name, title, pdf: writePdf(svg, { title, words }) };
    }),
  );
}
