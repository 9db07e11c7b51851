import { type Drawable, describeResult, formatCell } from "@isthmus/report";
import { type Screen, shownOf } from "./format-chart.ts";
import { formatTable } from "./format-table.ts";

/** Rows of a table that a terminal shows; pages and `--json` have all. */
const MOST_ROWS = 40;

/**
 * Formats what a result shows for the terminal: its words, its largest numbers, its chart, its first table
 * and other tables that are short.
 */
export function formatResult(result: Drawable, screen: Screen): string {
  const { summary, tiles, sections, notes = [] } = describeResult(result);
  const { chart, tables: others = [] } = shownOf(result) ?? {};
  const tables = sections.flatMap((section) => section.tables);
  const shown = tables.filter(({ name }, index) => index === 0 || others.includes(name));
  const numbers = tiles.map(({ name, value, unit, more }) => {
    const details = more.length > 0 ? ` (${more.join("; ")})` : "";
    return `${name}: ${[value, unit].join(" ").trim()}${details}`;
  });
  const titled = shown.map((table, index) => {
    const rows = formatRows(table, screen.columns);
    return index === 0 ? rows : `${table.title}\n${rows}`;
  });
  const parts = [
    [summary, ...numbers].join("\n"),
    chart?.(result, screen) ?? "",
    ...titled,
    notes.join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

type Table = ReturnType<typeof describeResult>["sections"][number]["tables"][number];

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
