import { type CellValue, isKnown, type Table, type TableColumn, unitOf } from "@isthmus/findings";
import { describeResult } from "./result/describe-result.ts";
import type { Drawable } from "./result/drawable-result.ts";

/** A table as the contents of a file. */
export interface RenderedTable {
  /**
   * Name in kebab-case, unique among the tables of a result; serves as the name of a file without its ending.
   */
  readonly name: string;
  /** Comma-separated values (RFC 4180), with numbers at full precision. */
  readonly csv: string;
}

/**
 * Writes the tables of a result's page as comma-separated values.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself
 */
export async function renderTables(result: Drawable): Promise<RenderedTable[]> {
  const tables = (await describeResult(result)).sections.flatMap((section) => section.tables);
  return tables.map((table) => ({ name: table.name, csv: toCsv(table) }));
}

/**
 * Writes a table as comma-separated values (RFC 4180): a row of titles, then numbers at full precision, with
 * errors in `[0, 1]`; values that were not measured are empty. Notes of rows are a last column, if any row
 * has one. Lines end in CR LF.
 */
export function toCsv({ columns, rows }: Table): string {
  const titles = columns.map(titleOf);
  const lines = rows.some(({ note }) => note !== undefined)
    ? [[...titles, "Note"], ...rows.map(({ cells, note = "" }) => [...cells, note])]
    : [titles, ...rows.map(({ cells }) => cells)];
  return lines.map((line) => `${line.map(quote).join(",")}\r\n`).join("");
}

function titleOf(column: TableColumn): string {
  const unit = unitOf(column);
  const title = column.group === undefined ? column.title : `${column.group}: ${column.title}`;
  return unit === undefined ? title : `${title} (${unit})`;
}

function quote(value: CellValue): string {
  const text = isKnown(value) ? String(value) : "";
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
