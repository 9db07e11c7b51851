import { LOSSES, type LossFields } from "@isthmus/graph";
import type { Report } from "./report.ts";
import { isKnown, type Table } from "./table.ts";

/** Returns the unit of the losses of a result; empty for a function and for several outputs. */
export function unitOfLoss({ lossKind, lossUnit = "" }: LossFields): string {
  return lossKind === undefined ? "nats" : lossUnit;
}

/** Returns the label of an axis of losses of a result, with their unit if they have one. */
export function lossLabel(name: string, result: LossFields): string {
  const unit = unitOfLoss(result);
  return unit === "" ? name : `${name} (${unit})`;
}

/**
 * Gives a report the unit of the loss that its result was measured by, and leaves out figures, columns and
 * lines of errors that were not measured. Descriptions of results write losses in nats, the unit of the usual
 * losses; this is the one place that knows of the others.
 * @param result - says by `lossKind` which loss it was; a report of the usual ones stays as it is
 */
export function inUnitOfLoss(report: Report, result: object): Report {
  const { lossKind, lossUnit = "" }: LossFields = result;
  if (lossKind === undefined) return report;
  const hasErrors = LOSSES.some(({ name, hasError }) => name === lossKind && hasError);
  const change = (text: string) => {
    const measured = hasErrors ? text : text.replace(ERRORS_IN_PERCENT, "");
    return lossUnit === "" ? measured.replace(WITH_NATS, "") : measured.replace(NATS, lossUnit);
  };
  const { data, sections, tiles, ...words } = report;
  const measured = sections.map((section) => ({
    ...section,
    figures: section.figures.filter(({ title, words }) => !isOfNoErrors(`${title} ${words}`)),
    tables: section.tables.map(withoutUnknown),
  }));
  const numbers = tiles.map((tile) => ({ ...tile, more: tile.more.filter((line) => !isOfNoErrors(line)) }));
  return {
    ...changeTexts({ ...words, tiles: numbers }, change),
    sections: changeTexts(measured, change).map((section) => ({
      ...section,
      tables: section.tables.map((table) => withUnit(table, lossUnit)),
    })),
    data,
  };
}

const NATS = /\bnats\b/g;
/** The unit with the words around it that mean nothing without. */
const WITH_NATS = / ?\(nats\)|,? ?\bin nats\b| nats\b|^nats$/g;
const ERRORS_IN_PERCENT = /[,;] errors? in percent(?:age points)?/g;

/** Returns whether a text says how large errors are that were not measured. */
const isOfNoErrors = (text: string): boolean => /\berrors?\b.*\bNaN\b/is.test(text);

/** Leaves out the columns of errors in which nothing was measured. */
function withoutUnknown(table: Table): Table {
  const isKept = table.columns.map(({ kind }, index) => {
    const isError = kind === "share" || kind === "points";
    return !isError || table.rows.some(({ cells }) => isKnown(cells[index] ?? null));
  });
  if (table.rows.length === 0 || isKept.every(Boolean)) return table;
  const keep = <T>(values: readonly T[]) => values.filter((_, index) => isKept[index]);
  return {
    ...table,
    columns: keep(table.columns),
    rows: table.rows.map((row) => ({ ...row, cells: keep(row.cells) })),
  };
}

/** Names the unit of columns of losses, whose kind says nats. */
function withUnit(table: Table, unit: string): Table {
  const columns = table.columns.map((column) => (column.kind === "loss" ? { unit, ...column } : column));
  return { ...table, columns };
}

/** Changes every text in plain data, and leaves all else. */
function changeTexts<T>(value: T, change: (text: string) => string): T {
  const changed = (part: unknown): unknown => {
    if (typeof part === "string") return change(part);
    if (Array.isArray(part)) return part.map(changed);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, changed(inner)]));
  };
  return changed(value) as T;
}
