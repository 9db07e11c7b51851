import { formatCell, type Table } from "@isthmus/findings";
import { type Drawable, describeResult } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatOutputs } from "./format-outputs.ts";
import { formatTable } from "./format-table.ts";

/** Rows of a table that a terminal shows; pages and `--json` have all. */
const MOST_ROWS = 40;

/** Formats what a result shows for the terminal: its words, its largest numbers, and its first table. */
export async function formatResult(
  result: Drawable,
  { columns }: Pick<Terminal, "columns">,
  outputs: readonly string[] = [],
): Promise<string> {
  const { summary, tiles, sections, notes = [] } = await describeResult(result);
  const [table] = sections.flatMap((section) => section.tables);
  const lines = [
    summary,
    ...tiles.map(({ name, value, unit, more }) => {
      const details = more.length > 0 ? ` (${more.join("; ")})` : "";
      return `${name}: ${[value, unit].join(" ").trim()}${details}`;
    }),
    ...(table === undefined ? [] : ["", formatRows(table, columns)]),
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
  const text = formatTable(
    columns.map(({ title, kind, unit }) => ({
      title: unit === undefined ? title : `${title} (${unit})`,
      align: kind === "text" ? "left" : "right",
    })),
    shown,
    width,
  );
  return rows.length > shown.length ? `${text}\nand ${rows.length - shown.length} rows more` : text;
}
