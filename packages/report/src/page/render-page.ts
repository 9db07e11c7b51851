import { CURVE_STYLES } from "../figure/palette.ts";
import { type Html, html, trusted } from "../html.ts";
import type { PageFact } from "../result/page-fact.ts";
import type { Report, Section, Tile } from "../result/report.ts";
import { contentPolicy } from "./content-policy.ts";
import { renderFigure } from "./render-figure.ts";
import { renderTable } from "./render-table.ts";
import type { ReportPage } from "./report-page.ts";
import { PAGE_SCRIPT } from "./script.ts";
import { PAGE_STYLE } from "./style.ts";

/**
 * Renders a report as one self-contained HTML page.
 *
 * The page needs no network and runs no script but its own, and says so to the browser. It follows the
 * reader's light or dark preference, and has a button for the other; it fits narrow screens and paper, holds
 * the numbers of its figures in tables that sort, and carries the result as JSON in the element
 * `#measurement`. The same input gives the same bytes.
 */
export async function renderPage(page: ReportPage, report: Report): Promise<string> {
  const policy = await contentPolicy({ style: PAGE_STYLE, script: PAGE_SCRIPT });
  const made = page.version === undefined ? "" : ` ${page.version}`;
  const body = html`
<a class="skip" href="#main">Skip to the result</a>
<button type="button" id="theme" class="button" aria-pressed="false" hidden>Dark theme</button>
<main id="main" tabindex="-1">
<header>
<p class="eyebrow">Isthmus · ${report.subject}</p>
<h1>${page.title}</h1>
${report.summary === "" ? "" : html`<p class="lead">${report.summary}</p>`}
${renderTiles(report.tiles)}
</header>
${await renderSections(report.sections)}
${renderNotes(page.notes ?? [])}
${renderMethod(mergeFacts(report.facts, page.facts ?? []), page.commands ?? [])}
<section aria-labelledby="raw"><h2 id="raw">The measurement itself</h2>
<p>This page contains the whole measurement as JSON, in the element <code>#measurement</code>.</p>
<p><a class="button" id="download" download="measurement.json" href="#measurement" hidden>Download as JSON</a></p></section>
</main>
<footer>Made by Isthmus${made}. No network was used to show this page.</footer>
<script type="application/json" id="measurement">${trusted(embeddableJson(report.data))}</script>
<script>${trusted(PAGE_SCRIPT)}</script>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${report.summary || page.title}">
<meta name="generator" content="isthmus${made}">
<title>${page.title}</title>
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>${body}
</body>
</html>
`.markup;
}

/**
 * Returns the facts of the result, followed by the facts of the page that the result does not state in the
 * same words.
 */
function mergeFacts(facts: readonly PageFact[], more: readonly PageFact[]): PageFact[] {
  const isNew = ({ name, value }: PageFact) =>
    !facts.some((fact) => fact.name === name && fact.value === value);
  return [...facts, ...more.filter(isNew)];
}

function renderTiles(tiles: readonly Tile[]): Html | undefined {
  if (tiles.length === 0) return undefined;
  const items = tiles.map(
    ({ name, value, unit, more, style }) =>
      html`<li class="tile${style === undefined ? "" : ` curve-${style % CURVE_STYLES}`}"><span class="name">${name}</span>
<span class="value">${value}${unit === "" ? undefined : html` <span class="unit">${unit}</span>`}</span>${more.map(
        (line) => html`<span class="more">${line}</span>`,
      )}</li>`,
  );
  return html`<ul class="tiles">${items}</ul>`;
}

/** Figures are numbered through the page. */
async function renderSections(sections: readonly Section[]): Promise<Html[]> {
  let number = 0;
  const rendered: Html[] = [];
  for (const { name, title, figures, tables } of sections) {
    const drawn = await Promise.all(figures.map((figure) => renderFigure(figure, ++number)));
    const grid = drawn.length === 0 ? undefined : html`<div class="figures">${drawn}</div>`;
    rendered.push(
      html`<section aria-labelledby="${name}"><h2 id="${name}">${title}</h2>${grid}${tables.map(renderTable)}</section>\n`,
    );
  }
  return rendered;
}

function renderNotes(notes: readonly string[]): Html | undefined {
  if (notes.length === 0) return undefined;
  const items = notes.map((note) => html`<li>${note}</li>`);
  return html`<section aria-labelledby="notes"><h2 id="notes">Notes</h2><ul class="notes">${items}</ul></section>`;
}

/** JSON that cannot end the script element it stands in. */
function embeddableJson(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/**
 * Renders how the result was made: the networks, the data, the policy, the seed, and the command lines to
 * repeat it.
 */
function renderMethod(facts: readonly PageFact[], commands: readonly string[]): Html {
  const list = facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return html`<section aria-labelledby="method"><h2 id="method">How it was measured</h2><dl>${list}</dl></section>
${renderCommands(commands)}`;
}

function renderCommands(commands: readonly string[]): Html | undefined {
  if (commands.length === 0) return undefined;
  const text = commands.join("\n");
  return html`<section aria-labelledby="again"><h2 id="again">Make it again</h2><pre tabindex="0"><code>${text}</code></pre></section>`;
}
