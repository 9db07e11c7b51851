import { formatNumber } from "@isthmus/findings";
import type { StudyFigure, StudyTable } from "@isthmus/study";
import { formatTable } from "../format/format-table.ts";

/** Formats a heat map of a study as a grid of numbers; the text is empty if the map has none. */
export function formatHeat({ x, y, color = "" }: StudyFigure, { columns, rows }: StudyTable): string {
  const textOf = (value: string | number | null | undefined) => String(value ?? "");
  const across = [...new Set(rows.map((row) => textOf(row[x])))];
  const down = [...new Set(rows.map((row) => textOf(row[y])))];
  const titleOf = (key: string) => columns.find((column) => column.key === key)?.title ?? key;
  const cells = new Map(rows.map((row) => [JSON.stringify([textOf(row[x]), textOf(row[y])]), row[color]]));
  if (![...cells.values()].some((value) => typeof value === "number")) return "";
  return formatTable(
    [
      { title: `${titleOf(y)} \\ ${titleOf(x)}`, align: "right" },
      ...across.map((title) => ({ title, align: "right" as const })),
    ],
    down.map((row) => [
      row,
      ...across.map((column) => {
        const value = cells.get(JSON.stringify([column, row]));
        return typeof value === "number" ? formatNumber(value) : "";
      }),
    ]),
  );
}
