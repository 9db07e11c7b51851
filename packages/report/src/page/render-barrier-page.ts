import { assertDrawable, type BarrierCurve } from "../barrier-curve.ts";
import { type Html, html, trusted } from "../html.ts";
import type { BarrierPage } from "./barrier-page.ts";
import { renderFigures } from "./figures.ts";
import { renderMethod } from "./method.ts";
import { PAGE_STYLE } from "./style.ts";
import { renderTiles, summarise } from "./summary.ts";
import { renderDefinitions, renderPoints } from "./tables.ts";

/**
 * Renders a barrier measurement as one self-contained HTML page.
 *
 * The page needs no network and runs no script. It follows the reader's light or dark preference, fits
 * narrow screens and paper, holds every number of its figures in tables, and carries the measurement as
 * JSON: in the element `#measurement`, and behind its download link. The same input gives the same bytes.
 *
 * @throws TypeError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export async function renderBarrierPage(page: BarrierPage): Promise<string> {
  assertDrawable(page.curves);
  const figures = await renderFigures(page.curves);
  const body = html`
<main>
<header>
<p class="eyebrow">Isthmus · barrier along a path</p>
<h1>${page.title}</h1>
<p class="lead">${summarise(page.curves)}</p>
${renderTiles(page.curves)}
</header>
<section aria-labelledby="curves"><h2 id="curves">Along the path</h2><div class="figures">${figures}</div></section>
${renderNotes(page.notes ?? [])}
<section aria-labelledby="barriers"><h2 id="barriers">The barrier, by every definition in use</h2>${renderDefinitions(page.curves)}</section>
<section aria-labelledby="points"><h2 id="points">Every measured point</h2>${renderPoints(page.curves)}</section>
${renderMethod(page)}
<section aria-labelledby="raw"><h2 id="raw">The measurement itself</h2>
<p>This page contains the whole measurement as JSON, in the element <code>#measurement</code>.</p>
${downloadLink(page.curves)}</section>
</main>
<footer>Made by Isthmus${page.version === undefined ? "" : ` ${page.version}`}. No network was used to show this page.</footer>
<script type="application/json" id="measurement">${trusted(embeddableJson(page.curves))}</script>`;
  return document(page, body);
}

function document(page: BarrierPage, body: Html): string {
  const description = summarise(page.curves);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${description}">
<meta name="generator" content="isthmus${page.version === undefined ? "" : ` ${page.version}`}">
<title>${page.title}</title>
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>${body}
</body>
</html>
`.markup;
}

function renderNotes(notes: readonly string[]): Html | undefined {
  if (notes.length === 0) return undefined;
  const items = notes.map((note) => html`<li>${note}</li>`);
  return html`<section aria-labelledby="notes"><h2 id="notes">Notes</h2><ul class="notes">${items}</ul></section>`;
}

function toJson(curves: readonly BarrierCurve[]): string {
  return JSON.stringify({ curves }, null, 1);
}

/** JSON that cannot end the script element it stands in. */
function embeddableJson(curves: readonly BarrierCurve[]): string {
  return toJson(curves).replaceAll("<", "\\u003c");
}

function downloadLink(curves: readonly BarrierCurve[]): Html {
  const data = Buffer.from(toJson(curves), "utf8").toString("base64");
  return html`<p><a class="button" download="barrier.json" href="data:application/json;base64,${data}">Download as JSON</a></p>`;
}
