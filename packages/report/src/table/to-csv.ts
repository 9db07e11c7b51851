import { type CellValue, isKnown, type Table, type TableColumn, unitOf } from "./table.ts";

/**
 * Writes a table as comma-separated values (RFC 4180): a row of titles, then numbers at full precision, with
 * errors in `[0, 1]`; what was not measured is empty. Lines end in CR LF.
 */
export function toCsv({ columns, rows }: Table): string {
  const lines = [columns.map(titleOf), ...rows.map(({ cells }) => cells)];
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
