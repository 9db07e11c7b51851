import type { StudyResult, StudyTable } from "@isthmus/study";
import type { CellKind, Table } from "../table/table.ts";
import { factsOf } from "./facts.ts";
import type { Report } from "./report.ts";
import { studyFigure } from "./study-figure.ts";

/**
 * Says what a study has found, by the figures and tables it declares.
 * @throws TypeError if a figure is of a table or a column that the study does not have
 */
export function describeStudy(result: StudyResult): Report {
  const { title, description, tables, figures } = result;
  return {
    subject: "study",
    summary: description,
    tiles: [],
    sections: tables.map((table, index) => ({
      name: `section-${table.name}`,
      title: table.title === title && tables.length === 1 ? "What was measured" : table.title,
      figures: figures
        .map((figure, number) => ({ figure, number }))
        .filter(({ figure }) => tableOf(result, figure.table) === index)
        .map(({ figure, number }) => studyFigure(figure, table, `figure-${number + 1}`)),
      tables: [tableFrom(table)],
    })),
    facts: factsOf(result),
    data: result,
  };
}

/** Index of the table of a name. */
function tableOf({ tables }: StudyResult, name: string): number {
  const index = tables.findIndex((table) => table.name === name);
  if (index === -1) {
    throw new TypeError(
      `Cannot draw a study as its figures must name one of its tables: got "${name}", it has ${tables.map((table) => `"${table.name}"`).join(", ")}`,
    );
  }
  return index;
}

function tableFrom({ name, title, columns, rows }: StudyTable): Table {
  const kindOf = (key: string): CellKind => {
    const values = rows.map((row) => row[key] ?? null).filter((value) => value !== null);
    if (values.some((value) => typeof value === "string")) return "text";
    return values.every(Number.isInteger) ? "whole" : "number";
  };
  return {
    name,
    title,
    caption: `${title}. Empty where something could not be measured.`,
    columns: columns.map(({ key, title: head, unit }) => ({
      title: head,
      kind: kindOf(key),
      ...(unit === undefined ? {} : { unit }),
    })),
    rows: rows.map((row) => ({ cells: columns.map(({ key }) => row[key] ?? null) })),
  };
}
