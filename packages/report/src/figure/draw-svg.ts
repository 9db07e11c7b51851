import type { PlotOptions } from "@observablehq/plot";
import { escapeHtml } from "../html.ts";
import { xmlText } from "../xml-text.ts";
import type { PlotLibrary } from "./drawing.ts";
import type { Theme } from "./palette.ts";
import { type FigureElement, standAlone } from "./stand-alone.ts";

/** Attributes that hold coordinates, which need no more than one decimal of a pixel. */
const COORDINATES = /\s(?:d|transform|c?[xy]|[xy][12]|width|height)="[^"]*"/g;
const LONG_DECIMAL = /-?\d+\.\d{2,}/g;
/** Style sheet that the library puts in every figure; a page holds it once, in its own style sheet. */
const LIBRARY_STYLE = /<style>:where[\s\S]*?<\/style>/;
/** Names that the library numbers across all figures of a process. */
const NUMBERED_NAME = /plot-clip-(\d+)/g;

/** Options of {@link drawSvg}. */
export interface DrawSvgOptions {
  /** Name of the figure, unique on its page. */
  readonly name: string;
  /** Appearance of a figure that stands alone; missing if the page around it defines the colours. */
  readonly theme?: Theme;
}

/**
 * Draws a figure without a browser and returns its `<svg>` element as text.
 *
 * @param words - text that describes the figure to readers who cannot see it
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
  // The label is set here rather than as an attribute: linkedom leaves "<" in attributes, which XML does not
  // allow.
  const labelled = xmlText(svg.outerHTML).replace("<svg ", () => `<svg aria-label="${escapeHtml(words)}" `);
  return renameNumbered(labelled, name)
    .replace(COORDINATES, (attribute) =>
      attribute.replace(LONG_DECIMAL, (number) => String(Number(Number(number).toFixed(1)))),
    )
    .replace(LIBRARY_STYLE, "");
}

/**
 * Draws a figure, in a page or without one, and returns its `<svg>` element.
 *
 * The drawing library is loaded by the first figure, so that terminal charts need not load it.
 */
export async function drawElement(
  describe: (plot: PlotLibrary) => PlotOptions,
): Promise<FigureElement & { readonly outerHTML: string }> {
  const [plot, document] = await Promise.all([import("@observablehq/plot"), findDocument()]);
  return plot.plot({ ...describe(plot), document, className: "isthmus-figure" });
}

/** Returns the document of the page, or makes one if there is no page. */
async function findDocument(): Promise<object> {
  const { document } = globalThis as { readonly document?: object };
  if (document !== undefined) return document;
  const { parseHTML } = await import("linkedom");
  return parseHTML("<!doctype html><html><body></body></html>").document;
}

/**
 * Renumbers names from 1 in each figure, so that equal figures give equal text and names are unique on a
 * page.
 */
function renameNumbered(text: string, name: string): string {
  const numbers = new Map<string, number>();
  return text.replace(NUMBERED_NAME, (_, number: string) => {
    if (!numbers.has(number)) numbers.set(number, numbers.size + 1);
    return `${name}-clip-${numbers.get(number)}`;
  });
}
