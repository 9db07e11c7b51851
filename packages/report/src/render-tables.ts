import { describeResult } from "./result/describe-result.ts";
import type { DrawableResult } from "./result/drawable-result.ts";
import { toCsv } from "./table/to-csv.ts";

/** A table as a file. */
export interface RenderedTable {
  /** In kebab-case, unique among the tables of a result; a file name without its ending. */
  readonly name: string;
  /** Comma-separated values, RFC 4180, numbers at full precision. */
  readonly csv: string;
}

/**
 * Writes the tables of a result's page as comma-separated values.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself
 */
export function renderTables(result: DrawableResult): RenderedTable[] {
  const tables = describeResult(result).sections.flatMap((section) => section.tables);
  return tables.map((table) => ({ name: table.name, csv: toCsv(table) }));
}
