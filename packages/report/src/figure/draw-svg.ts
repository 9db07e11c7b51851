import type { PlotOptions } from "@observablehq/plot";
import { escapeHtml } from "../html.ts";

type Plot = typeof import("@observablehq/plot");

/** Attributes that hold coordinates, which need no more than two decimals of a pixel. */
const COORDINATES = /\s(?:d|transform|c?[xy]|[xy][12]|width|height)="[^"]*"/g;
const LONG_DECIMAL = /-?\d+\.\d{3,}/g;

/**
 * Draws a figure without a browser and returns its `<svg>` element as text.
 *
 * @param words - what the figure shows, for those who do not see it
 *
 * The drawing library is loaded by the first figure, so that terminal charts do without it.
 */
export async function drawSvg(words: string, describe: (plot: Plot) => PlotOptions): Promise<string> {
  const [plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = plot.plot({ ...describe(plot), document, className: "isthmus-figure" });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  const text: string = svg.outerHTML;
  // Set here and not as an attribute: linkedom leaves "<" in attributes, which XML does not allow.
  const labelled = text.replace("<svg ", () => `<svg aria-label="${escapeHtml(words)}" `);
  return labelled.replace(COORDINATES, (attribute) =>
    attribute.replace(LONG_DECIMAL, (number) => String(Number(Number(number).toFixed(2)))),
  );
}
