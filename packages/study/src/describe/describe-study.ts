import { UsageError } from "@isthmus/core";
import { type CellKind, factsOf, type Report, type Table } from "@isthmus/findings";
import type { StudyResult, StudyTable } from "../study-result.ts";
import { studyFigure } from "./study-figure.ts";
import { groupWords, listVariables } from "./study-words.ts";

/**
 * Describes the findings of a study by the figures and tables that it declares; figures without a number to
 * draw are only named.
 * @throws UsageError if a figure is of a table or a column that the study does not have
 */
export function describeStudy(result: StudyResult): Report {
  const { title, tables, figures, networks = [], measurements = [] } = result;
  const drawn = figures.map((figure, index) => {
    const table = tableOf(result, figure.table);
    return {
      table,
      title: figure.title,
      figure: studyFigure(figure, { table, study: result }, `figure-${index + 1}`),
    };
  });
  const empty = drawn.flatMap(({ figure, title: name }) => (figure === undefined ? [name] : []));
  return {
    subject: "study",
    summary: summarize(result),
    tiles: [],
    sections: tables.map((table) => ({
      name: `section-${table.name}`,
      title: table.title === title && tables.length === 1 ? "What was measured" : table.title,
      figures: drawn.flatMap((one) => (one.table === table && one.figure ? [one.figure] : [])),
      tables: [tableFrom(table)],
    })),
    facts: factsOf(result, [
      ...empty.map((name) => ({ name: "Not drawn", value: `${name}: no row has numbers that fit its axes` })),
      ...networks.map((group) => ({ name: `Networks ${group.name}`, value: groupWords(group) })),
      ...measurements.map((group) => ({ name: `Measurements ${group.name}`, value: groupWords(group) })),
    ]),
    data: result,
  };
}

/** Returns the description of the study; for a part of a study, the values of its variables come first. */
function summarize({ description, only }: StudyResult): string {
  if (only === undefined) return description;
  return `This is a part of a study: ${listVariables(only)} only. The study as a whole: ${description}`;
}

/** Finds a table by its name. */
function tableOf({ tables }: StudyResult, name: string): StudyTable {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) {
    throw new UsageError(
      `Cannot draw a study as its figures must name one of its tables: got "${name}", it has ${tables.map((one) => `"${one.name}"`).join(", ")}`,
    );
  }
  return table;
}

/** Checks whether a minimum or maximum in a row only repeats the mean, as the row has a single result. */
function repeatsMean(
  columns: StudyTable["columns"],
  { key, aggregate, counts }: StudyTable["columns"][number],
  row: StudyTable["rows"][number],
  index: number,
): boolean {
  if ((aggregate !== "min" && aggregate !== "max") || counts?.[index] !== 1) return false;
  return columns.some((other) => other.aggregate === "mean" && row[other.key] === row[key]);
}

function tableFrom({ name, title, columns, rows }: StudyTable): Table {
  const kindOf = (key: string): CellKind => {
    const values = rows.map((row) => row[key] ?? null).filter((value) => value !== null);
    if (values.some((value) => typeof value === "string")) return "text";
    return values.every(Number.isInteger) ? "whole" : "number";
  };
  const repeats = rows.map((row, i) => columns.map((column) => repeatsMean(columns, column, row, i)));
  const hasRepeats = repeats.flat().includes(true);
  return {
    name,
    title,
    caption: `${title}. Empty where something could not be measured${hasRepeats ? ", and where a range has one result" : ""}.`,
    columns: columns.map(({ key, title: head, unit }) => ({
      title: head,
      kind: kindOf(key),
      ...(unit === undefined ? {} : { unit }),
    })),
    rows: rows.map((row, i) => ({
      cells: columns.map(({ key }, k) => (repeats[i]?.[k] ? null : (row[key] ?? null))),
    })),
  };
}
