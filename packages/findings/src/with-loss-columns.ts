import type { LossFields } from "@isthmus/graph";
import { lossWords } from "./loss-words.ts";
import type { Report } from "./report.ts";
import { isKnown, type Table, type TableColumn } from "./table.ts";

/**
 * Gives columns of losses the unit of the loss that a result was measured by, and leaves out columns of
 * errors if predictions have none.
 * @param result - its `lossKind` names the loss; without one, the tables are returned unchanged
 */
export function withLossColumns(report: Report, result: object): Report {
  const fields: LossFields = result;
  if (fields.lossKind === undefined) return report;
  const { unit, hasErrors } = lossWords(fields);
  const tableOf = (table: Table) => withUnit(hasErrors ? table : withoutUnknown(table), unit);
  const sections = report.sections.map((section) => ({ ...section, tables: section.tables.map(tableOf) }));
  return { ...report, sections };
}

/** Returns kind and unit of a column of losses; losses without a unit are plain numbers. */
export function lossColumn(unit: string): Pick<TableColumn, "kind" | "unit"> {
  return unit === "" ? { kind: "number" } : { kind: "loss", unit };
}

/** Leaves out the columns of errors in which nothing was measured. */
function withoutUnknown(table: Table): Table {
  const isKept = table.columns.map(({ kind }, index) => {
    const isError = kind === "share" || kind === "points";
    return !isError || table.rows.some(({ cells }) => isKnown(cells[index] ?? null));
  });
  if (table.rows.length === 0 || isKept.every(Boolean)) return table;
  const pick = <T>(values: readonly T[]) => values.filter((_, index) => isKept[index]);
  return {
    ...table,
    columns: pick(table.columns),
    rows: table.rows.map((row) => ({ ...row, cells: pick(row.cells) })),
  };
}

/** Adds the unit to columns of losses that have none, which otherwise are in nats. */
function withUnit(table: Table, unit: string): Table {
  const columns = table.columns.map((column) => {
    const isUnnamed = column.kind === "loss" && column.unit === undefined;
    return isUnnamed ? { ...column, ...lossColumn(unit) } : column;
  });
  return { ...table, columns };
}
