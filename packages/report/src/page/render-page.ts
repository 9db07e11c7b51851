import type { Figure, PageFact, Report, Section, Tile } from "@isthmus/findings";
import { bandColors } from "../figure/band-colors.ts";
import { drawSvg } from "../figure/draw-svg.ts";
import { drawingOf } from "../figure/drawers.ts";
import { FIGURE_WIDTHS } from "../figure/drawing.ts";
import { CURVE_STYLES } from "../figure/palette.ts";
import { type Html, html, trusted } from "../html.ts";
import { renderTable } from "./render-table.ts";
import type { ReportPage } from "./report-page.ts";
import { PAGE_STYLE } from "./style.ts";

/**
 * Renders a report as one self-contained HTML page.
 *
 * The page needs no network and runs only its own script, and declares this to the browser. It follows the
 * reader's light or dark preference, and has a button for the other; it fits narrow screens and paper, holds
 * the numbers of its figures in tables that sort, and carries the result as JSON in the element
 * `#measurement`. The same input gives the same bytes.
 */
export async function renderPage(page: ReportPage, report: Report): Promise<string> {
  const walks = report.sections.some(({ figures }) => figures.some(({ plot }) => plot.kind === "walk"));
  const { style, script } = walks ? await withWalk() : { style: PAGE_STYLE, script: PAGE_SCRIPT };
  const policy = await contentPolicy({ style, script });
  const made = page.version === undefined ? "" : ` ${page.version}`;
  const body = html`
<a class="skip" href="#main">Skip to the result</a>
<button type="button" id="theme" class="button" hidden>Dark theme</button>
<main id="main" tabindex="-1">
<header>
<p class="eyebrow">Isthmus · ${report.subject}</p>
<h1>${page.title}</h1>
${report.summary === "" ? "" : html`<p class="lead">${report.summary}</p>`}
${renderTiles(report.tiles)}
</header>
${await renderSections(report.sections)}
${renderNotes([...(report.notes ?? []), ...(page.notes ?? [])])}
${renderMethod(mergeFacts(report.facts, page.facts ?? []), page.commands ?? [])}
<section aria-labelledby="raw"><h2 id="raw">The measurement itself</h2>
<p>This page contains the whole measurement as JSON, in the element <code>#measurement</code>.</p>
<p><a class="button" id="download" download="measurement.json" href="#measurement" hidden>Download as JSON</a></p></section>
</main>
<footer>Made by Isthmus${made}. No network was used to show this page.</footer>
<script type="application/json" id="measurement">${trusted(embeddableJson(report.data))}</script>
<script>${trusted(script)}</script>`;
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
<style>${trusted(style)}</style>
</head>
<body>${body}
</body>
</html>
`.markup;
}

/** Returns the style and the script of a page with a map to walk on. */
async function withWalk(): Promise<{ readonly style: string; readonly script: string }> {
  const [{ WALK_STYLE }, { WALK_SCRIPT }] = await Promise.all([
    import("./walk-style.ts"),
    import("./walk-script.ts"),
  ]);
  return { style: PAGE_STYLE + WALK_STYLE, script: `${PAGE_SCRIPT}\n${WALK_SCRIPT}` };
}

/** Returns the facts of the result, followed by the facts of the page that differ from them. */
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

/** Renders sections; figures are numbered through the page. */
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

/** Writes JSON that cannot end the script element that contains it. */
function embeddableJson(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/**
 * Renders the method of the result: the networks, the data, the policy, the seed, and the command lines to
 * repeat it.
 */
function renderMethod(facts: readonly PageFact[], commands: readonly string[]): Html {
  const list = facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return html`<section aria-labelledby="method"><h2 id="method">How it was measured</h2><dl>${list}</dl></section>
${renderCommands(commands)}`;
}

function renderCommands(commands: readonly string[]): Html | undefined {
  if (commands.length === 0) return undefined;
  // Lines break between words only: a dash at the end of a line would look like the beginning of another
  // option.
  const words = commands.join("\n").split(/(\s+)/);
  const text = words.map((word) => (/\S/.test(word) ? html`<span>${word}</span>` : html`${word}`));
  return html`<section aria-labelledby="again"><h2 id="again">Make it again</h2><pre tabindex="0"><code>${text}</code></pre></section>`;
}

/**
 * Makes a content security policy by which a page may use only its own style and script: the browser then
 * runs no script that names, titles or results could smuggle into the page, and requests nothing from the
 * network.
 * @see https://www.w3.org/TR/CSP3/#grammardef-hash-source
 */
export async function contentPolicy(content: {
  readonly style: string;
  readonly script: string;
}): Promise<string> {
  const [style, script] = await Promise.all([digest(content.style), digest(content.script)]);
  return [
    "default-src 'none'",
    `style-src '${style}'`,
    `script-src '${script}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Computes the SHA-256 digest of the text of an element, in the form that policies require. */
async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(bytes)))}`;
}

/**
 * Script of a page: the button for the other theme, tables that sort, and the download of the measurement.
 * Everything else works without the script, and controls that need it are hidden until it runs.
 */
const PAGE_SCRIPT = `(() => {
const root = document.documentElement, prefers = matchMedia("(prefers-color-scheme:dark)"), toggle = document.getElementById("theme");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : prefers.matches;
const show = () => { toggle.textContent = isDark() ? "Light theme" : "Dark theme"; };
toggle.onclick = () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); };
prefers.addEventListener("change", show);
toggle.hidden = false;
show();
const number = (text) => parseFloat(text.replace(/,/g, ""));
for (const head of document.querySelectorAll("th[data-sort]")) {
const button = document.createElement("button"), table = head.closest("table"), body = table.tBodies[0];
button.type = "button";
button.append(...head.childNodes);
head.append(button);
button.onclick = () => {
const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
const key = (row) => row.cells[head.cellIndex].textContent, numeric = head.dataset.sort === "number";
const compare = (a, b) => !a || !b ? (a ? -1 : b ? 1 : 0) : sign * (numeric ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true }));
body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
};
}
const link = document.getElementById("download");
link.href = URL.createObjectURL(new Blob([document.getElementById("measurement").textContent], { type: "application/json" }));
link.hidden = false;
})();`;

/** Draws a figure full and compact, with its caption: a style sheet shows the version that fits. */
async function renderFigure(figure: Figure, number: number): Promise<Html> {
  const { name, title, caption, size, table } = figure;
  const [full, compact] = await Promise.all([drawAt(figure, size), drawAt(figure, "compact")]);
  return html`<figure class="${size}" id="figure-${name}"><div class="full">${trusted(full)}</div><div class="compact">${trusted(compact)}</div>
<figcaption>Figure ${number}. <b>${title}</b> ${caption} <a href="#table-${table}">The numbers</a>.</figcaption>${walkData(figure)}</figure>`;
}

/** Embeds the data of a map to walk on, with the colours of its bands, for the script of the page. */
function walkData({ plot }: Figure): Html | undefined {
  if (plot.kind !== "walk") return undefined;
  const { scale, ground } = plot;
  const colors = { lines: bandColors(scale), ground: ground === undefined ? [] : bandColors(ground.scale) };
  return html`<script type="application/json" class="walk">${trusted(embeddableJson({ ...plot, colors }))}</script>`;
}

/**
 * Attribute in which the drawing library puts the style of text; pages have that style in their style sheet,
 * as their policy allows no style attributes.
 */
const LETTER_STYLE = /^(<svg [^>]*?) style="[^"]*"/;

/** Draws a figure for a page; a compact figure has no titles of marks, which need a mouse. */
async function drawAt(
  { name, words, plot: shown }: Figure,
  size: keyof typeof FIGURE_WIDTHS,
): Promise<string> {
  const drawn = await drawSvg(words, (plot) => drawingOf(shown)(plot, FIGURE_WIDTHS[size]), {
    name: `${name}-${size}`,
  });
  const svg = drawn.replace(LETTER_STYLE, "$1");
  return size === "compact" ? svg.replace(/<title>[^<]*<\/title>/g, "") : svg;
}
