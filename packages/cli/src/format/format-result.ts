import { type BarrierCurve, curvesOf } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { formatCell, type Report, type Table } from "@isthmus/findings";
import { type Drawable, type DrawableResult, describeResult, isNamedBarriers } from "@isthmus/report";
import { drawResult, type Screen } from "./format-chart.ts";
import { formatTable, wrap } from "./format-table.ts";
import { drawPlot } from "./terminal-charts.ts";

/** Number of rows of a table that a terminal shows; pages and `--json` have all. */
const MOST_ROWS = 40;

/** Formats a result with words and tables of its own. */
type FormatText<R> = (result: R, screen: Screen) => Promise<string>;

/**
 * Formatters for kinds whose text says more in little room than their page does; each is loaded if it is
 * shown.
 */
const TEXTS: { readonly [K in DrawableResult["kind"]]?: FormatText<Extract<DrawableResult, { kind: K }>> } = {
  barrier: async (result, screen) => formatCurves(curvesOf(result), screen),
  star: async (result, screen) => (await import("../star/format-star.ts")).formatStar(result, screen),
  study: async (result, screen) => (await import("../study/format-study.ts")).formatStudy(result, screen),
  simulation: async (result) => (await import("../federate/format-simulation.ts")).formatSimulation(result),
  comparison: async (result, { columns }) =>
    (await import("./format-comparison.ts")).formatComparison(result, columns),
};

const formatCurves: FormatText<readonly BarrierCurve[]> = async (curves, screen) =>
  (await import("./format-barriers.ts")).formatBarriers(curves, screen);

/**
 * Formats a result for the terminal: its chart, its words, its largest numbers, and the most telling tables.
 */
export async function formatResult(result: Drawable, screen: Screen): Promise<string> {
  if (isNamedBarriers(result)) return formatCurves(result, screen);
  // The function of a kind takes the results of that kind.
  const format = TEXTS[result.kind] as FormatText<DrawableResult> | undefined;
  if (format !== undefined) return format(result, screen);
  return formatReport(await describeResult(result), screen, drawResult(result, screen));
}

/**
 * Formats a report for the terminal.
 * @param chart - the chart; without it the first figure, if it is of lines
 */
export function formatReport(
  { summary, tiles, sections, facts, notes = [], shownTables: names }: Report,
  screen: Screen,
  chart?: string,
): string {
  const [figure] = sections.flatMap((section) => section.figures);
  const all = sections.flatMap((section) => section.tables);
  const tables = names === undefined ? all.slice(0, 1) : all.filter(({ name }) => names.includes(name));
  const numbers = tiles.map(({ name, value, unit, more }) => {
    const details = more.length > 0 ? ` (${more.join("; ")})` : "";
    return `${name}: ${[value, unit].join(" ").trim()}${details}`;
  });
  const drawn = chart ?? (figure && drawPlot(figure.plot, screen));
  const parts = [
    formatOrigin(facts, screen.columns),
    drawn ?? "",
    [summary, ...numbers].join("\n"),
    ...tables.map((table) => {
      const rows = formatRows(table, screen.columns);
      return tables.length === 1 ? rows : `${table.title}\n${rows}`;
    }),
    // A note may be the summary itself, such as that nothing was learned.
    notes.filter((note) => note !== summary).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Beginnings of the names of facts about the networks and the examples that were measured. */
const ORIGINS = [/^(networks?|anchors|held out|targets)\b/i, /^data\b/i];

/** Names the networks and the examples that were measured, in one line if they fit. */
function formatOrigin(facts: Report["facts"], width: number): string {
  const origin = ORIGINS.flatMap((names) => facts.filter(({ name }) => names.test(name)));
  const said = origin.map(({ name, value }, k) => {
    const first = name.charAt(0);
    return `${k === 0 ? first : first.toLowerCase()}${name.slice(1)}: ${value}`;
  });
  return wrap(said.join("; "), width).join("\n");
}

function formatRows({ columns, rows }: Table, width: number): string {
  const shown = rows
    .slice(0, MOST_ROWS)
    .map(({ cells, kind }) =>
      columns.map((column, index) => formatCell(cells[index] ?? null, kind ?? column.kind)),
    );
  const titles = columns.map(({ title, unit }) => (unit === undefined ? title : `${title} (${unit})`));
  const groups = columns.map(({ group = "" }, index) => (group === columns[index - 1]?.group ? "" : group));
  const hasGroups = groups.some((group) => group !== "");
  const hasSentences = columns.at(-1)?.kind === "text" && shown.some((cells) => cells.at(-1)?.includes(" "));
  const text = formatTable(
    columns.map(({ kind }, index) => ({
      title: at(hasGroups ? groups : titles, index, "column"),
      align: kind === "text" ? "left" : "right",
    })),
    hasGroups ? [titles, ...shown] : shown,
    // A column that does not fit is broken by the screen if it has no words to break at.
    hasSentences ? width : undefined,
  );
  return rows.length > shown.length ? `${text}\nand ${rows.length - shown.length} rows more` : text;
}
