import { drawSvg } from "../figure/draw-svg.ts";
import { FIGURE_WIDTHS, type Figure } from "../figure/figure.ts";
import { type Html, html, trusted } from "../html.ts";

/** Draws a figure full and compact, with its caption: a style sheet shows the one that fits. */
export async function renderFigure(figure: Figure, number: number): Promise<Html> {
  const { name, title, caption, size, table } = figure;
  const [full, compact] = await Promise.all([drawAt(figure, size), drawAt(figure, "compact")]);
  return html`<figure class="${size}" id="figure-${name}"><div class="full">${trusted(full)}</div><div class="compact">${trusted(compact)}</div>
<figcaption>Figure ${number}. <b>${title}</b> ${caption} <a href="#table-${table}">The numbers</a>.</figcaption></figure>`;
}

/**
 * Attribute in which the drawing library puts the style of letters; pages have that style in their style
 * sheet, as their policy allows no other.
 */
const LETTER_STYLE = /^(<svg [^>]*?) style="[^"]*"/;

/** Compact figures do without the titles of marks, which need a mouse. */
async function drawAt({ name, words, draw }: Figure, size: keyof typeof FIGURE_WIDTHS): Promise<string> {
  const drawn = await drawSvg(words, (plot) => draw(plot, FIGURE_WIDTHS[size]), { name: `${name}-${size}` });
  const svg = drawn.replace(LETTER_STYLE, "$1");
  return size === "compact" ? svg.replace(/<title>[^<]*<\/title>/g, "") : svg;
}
