import { formatBarrier, formatCount, formatMeasure, formatNumber, formatPlace } from "./format-value.ts";

/** Value of a cell: text, a number, or null if nothing was measured. */
export type CellValue = string | number | null;

/** Kind of the values of a column, which decides their format. */
export type CellKind = "text" | "whole" | "count" | "number" | "loss" | "share" | "points" | "place";

/** One column of a table. */
export interface TableColumn {
  /** Heading of the column, without the unit. */
  readonly title: string;
  /** Kind of the column's values. */
  readonly kind: CellKind;
  /** Words over this column and its neighbours of the same group. */
  readonly group?: string;
  /** Index of the curve whose colour stands beside the group. */
  readonly style?: number;
  /** Unit of the values. @defaultValue the unit that follows from the kind */
  readonly unit?: string;
}

/** One row of a table. */
export interface TableRow {
  /** Cells, one for each column; the first names the row. */
  readonly cells: readonly CellValue[];
  /** Small words below the name. */
  readonly note?: string;
  /** Whether the row is emphasised. */
  readonly strong?: boolean;
  /** Kind of its values, if it differs from the kind of the columns. */
  readonly kind?: CellKind;
}

/** A table of numbers of a result. */
export interface Table {
  /** Short and unique in its result, in kebab-case: names files and elements. */
  readonly name: string;
  /** Title: the bold beginning of the caption. */
  readonly title: string;
  /** Explanation of how to read the table, in sentences. */
  readonly caption: string;
  /** Columns from left to right; the first names the rows. */
  readonly columns: readonly TableColumn[];
  /** Rows from top to bottom. */
  readonly rows: readonly TableRow[];
  /** Whether the order of its rows means something that sorting would lose. @defaultValue false */
  readonly fixed?: boolean;
}

const FORMATS: Readonly<Record<CellKind, (value: number) => string>> = {
  text: String,
  whole: String,
  count: formatCount,
  number: formatNumber,
  loss: formatNumber,
  share: (value) => formatMeasure(value, "error"),
  points: (value) => formatBarrier(value, "error"),
  place: formatPlace,
};

/** Units of the kinds of columns, for numbers in files. */
const UNITS: Readonly<Partial<Record<CellKind, string>>> = { loss: "nats" };

/**
 * Checks whether a cell has a value. A number that is not finite was not measured either, and is null in
 * JSON.
 */
export function isKnown(value: CellValue): value is string | number {
  return typeof value === "number" ? Number.isFinite(value) : value !== null;
}

/** Writes a value as a page or a terminal shows it; an empty text if there is none. */
export function formatCell(value: CellValue, kind: CellKind): string {
  if (!isKnown(value)) return "";
  return typeof value === "string" ? value : FORMATS[kind](value);
}

/** Returns the unit of a column, in the words that files use. */
export function unitOf({ unit, kind }: TableColumn): string | undefined {
  return unit ?? UNITS[kind];
}
