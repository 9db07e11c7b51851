import type { PlotOptions } from "@observablehq/plot";
import { escapeHtml } from "../html.ts";
import { xmlText } from "../xml-text.ts";
import type { PlotLibrary } from "./drawing.ts";
import type { Theme } from "./palette.ts";
import { type FigureElement, standAlone } from "./stand-alone.ts";

/** Attributes that hold coordinates, which need no more than one decimal of a pixel. */
const COORDINATES = /\s(?:d|transform|c?[xy]|[xy][12]|width|height)="[^"]*"/g;
const LONG_DECIMAL = /-?\d+\.\d{2,}/g;
/** Style that the library puts in every figure; a page holds it once, in its style sheet. */
const LIBRARY_STYLE = /<style>:where[\s\S]*?<\/style>/;
/** Names the library numbers through all figures of a process. */
const NUMBERED_NAME = /plot-clip-(\d+)/g;

/** Options of {@link drawSvg}. */
export interface DrawSvgOptions {
  /** Unique among the figures of a page. */
  readonly name: string;
  /** Appearance of a figure that stands alone; missing where the page around it defines the colours. */
  readonly theme?: Theme;
}

/**
 * Draws a figure without a browser and returns its `<svg>` element as text.
 *
 * @param words - what the figure shows, for those who do not see it
 */
export async function drawSvg(
  words: string,
  describe: (plot: PlotLibrary) => PlotOptions,
  { name, theme }: DrawSvgOptions,
): Promise<string> {
  const svg = await drawElement(describe);
  if (theme !== undefined) standAlone(svg, theme);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  // Set here and not as an attribute: linkedom leaves "<" in attributes, which XML does not allow.
  const labelled = xmlText(svg.outerHTML).replace("<svg ", () => `<svg aria-label="${escapeHtml(words)}" `);
  return renameNumbered(labelled, name)
    .replace(COORDINATES, (attribute) =>
      attribute.replace(LONG_DECIMAL, (number) => String(Number(Number(number).toFixed(1)))),
    )
    .replace(LIBRARY_STYLE, "");
}

/**
 * Draws a figure without a browser and returns its `<svg>` element.
 *
 * The drawing library is loaded by the first figure, so that terminal charts do without it.
 */
export async function drawElement(
  describe: (plot: PlotLibrary) => PlotOptions,
): Promise<FigureElement & { readonly outerHTML: string }> {
  const [plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return plot.plot({ ...describe(plot), document, className: "isthmus-figure" });
}

/**
 * Counts names from 1 in each figure, so that the same figure is the same text and pages hold each name once.
 */
function renameNumbered(text: string, name: string): string {
  const numbers = new Map<string, number>();
  return text.replace(NUMBERED_NAME, (_, number: string) => {
    if (!numbers.has(number)) numbers.set(number, numbers.size + 1);
    return `${name}-clip-${numbers.get(number)}`;
  });
}
