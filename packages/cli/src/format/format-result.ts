import { at } from "@isthmus/core";
import { formatCell, type Table } from "@isthmus/findings";
import { type Drawable, describeResult } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatOutputs } from "./format-outputs.ts";
import { formatTable } from "./format-table.ts";
import { drawPlot } from "./terminal-charts.ts";

/** Rows of a table that a terminal shows; pages and `--json` have all. */
const MOST_ROWS = 40;

/**
 * Formats what a result shows for the terminal: its first figure, if a terminal can draw it, its words, its
 * largest numbers, and its first table.
 */
export async function formatResult(
  result: Drawable,
  terminal: Terminal,
  outputs: readonly string[] = [],
): Promise<string> {
  const { summary, tiles, sections, notes = [] } = await describeResult(result);
  const [table] = sections.flatMap((section) => section.tables);
  const [figure] = sections.flatMap((section) => section.figures);
  const chart = figure && drawPlot(figure.plot, terminal);
  const lines = [
    ...(chart === undefined ? [] : [chart, ""]),
    summary,
    ...tiles.map(({ name, value, unit, more }) => {
      const details = more.length > 0 ? ` (${more.join("; ")})` : "";
      return `${name}: ${[value, unit].join(" ").trim()}${details}`;
    }),
    ...(table === undefined ? [] : ["", formatRows(table, terminal.columns)]),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ];
  return lines.join("\n") + formatOutputs(outputs);
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
  const text = formatTable(
    columns.map(({ kind }, index) => ({
      title: at(hasGroups ? groups : titles, index, "column"),
      align: kind === "text" ? "left" : "right",
    })),
    hasGroups ? [titles, ...shown] : shown,
    // Only words can go to further lines.
    columns.at(-1)?.kind === "text" ? width : undefined,
  );
  return rows.length > shown.length ? `${text}\nand ${rows.length - shown.length} rows more` : text;
}
