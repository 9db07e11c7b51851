import { at, UsageError } from "@isthmus/core";
import {
  alikeFormat,
  type ColorScale,
  divergingScale,
  type Figure,
  factorScale,
  formatNumber,
  formatShort,
  type HeatBorder,
  type HeatOverlay,
  narrowFormat,
  sequentialScale,
  unitScale,
} from "@isthmus/findings";
import type { StudyFigure, StudyResult, StudyTable, StudyValue } from "../study-result.ts";
import { studyColumnTitle } from "./study-column-title.ts";
import { studyCaption } from "./study-words.ts";

/** Grid of a heat map: names of its rows and columns, and the row of the table that each cell shows. */
interface Grid {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** `[rows][columns]`: index of the cell's row in the table; undefined for a cell without one. */
  readonly places: readonly (readonly (number | undefined)[])[];
}

type Values = readonly (readonly (number | null)[])[];

/** Scales of colours by the names that studies call them. */
const SCALES: Readonly<
  Record<NonNullable<StudyFigure["colorScale"]>, (values: readonly number[]) => ColorScale>
> = {
  linear: sequentialScale,
  log: factorScale,
  unit: unitScale,
  diverging: divergingScale,
};

/**
 * Draws a heat map: the values of one column of a table as colours on a grid of two other columns, with the
 * borders and the best cells that the study asks for. Returns undefined if there is no number to draw.
 * @throws UsageError if two rows of the table have the same cell
 */
export function studyHeat(
  figure: StudyFigure,
  { table, study }: { readonly table: StudyTable; readonly study: StudyResult },
  name: string,
): Figure | undefined {
  const { title, caption, x, y, color = "", colorScale = "linear", borders = [], best } = figure;
  const grid = gridOf(figure, table);
  const values = valuesOf(table, grid, color);
  const numbers = values.flat().filter((value) => value !== null);
  if (numbers.length === 0) return undefined;
  const [label, across, down] = [color, x, y].map((key) => studyColumnTitle(table, key)) as [
    string,
    string,
    string,
  ];
  const drawn = grid.places.flat().filter((place) => place !== undefined);
  const counted = studyCaption({ ...figure, y: color }, { table, study }, CELLS(drawn));
  const words = grid.rows.map((row, i) => {
    const cells = grid.columns.map((column, k) => `${column} ${formatOrUnknown(values[i]?.[k])}`);
    return `${down} ${row}: ${cells.join(", ")}`;
  });
  return {
    name,
    title: `${title}.`,
    caption: [caption, ...borderWords(figure, table), bestWords(figure, { across, down }), counted]
      .filter((sentence) => sentence !== "")
      .join(" "),
    words: `Heat map of ${label}, ${down} by ${across}. ${words.join("; ")}.`,
    table: table.name,
    size: "half",
    plot: {
      kind: "heat",
      rows: grid.rows,
      columns: grid.columns,
      values,
      label,
      rowLabel: down,
      columnLabel: across,
      scale: SCALES[colorScale](numbers),
      format: alikeFormat(numbers),
      coarse: narrowFormat(numbers),
      overlay: {
        borders: borders.map(({ of, at: limit }) => borderOf(valuesOf(table, grid, of), limit)),
        dots: best === undefined ? [] : bestCells(values, best),
      },
    },
  };
}

const CELLS = (rows: readonly number[]) =>
  ({ rows, bounded: false, mark: "cell", interval: "thin line" }) as const;

const formatOrUnknown = (value: number | null | undefined): string =>
  typeof value === "number" ? formatNumber(value) : "unknown";

/** Lays the rows of a table out on a grid by two of its columns, whose values keep the order of the table. */
function gridOf({ title, x, y }: StudyFigure, table: StudyTable): Grid {
  const keys = table.rows.map((row) => [nameOf(row[y]), nameOf(row[x])] as const);
  const rows = [...new Set(keys.map(([row]) => row))];
  const columns = [...new Set(keys.map(([, column]) => column))];
  const places = rows.map(() => columns.map((): number | undefined => undefined));
  keys.forEach(([row, column], index) => {
    const line = at(places, rows.indexOf(row), "row of cells");
    const cell = columns.indexOf(column);
    if (line[cell] !== undefined) {
      throw new UsageError(
        `Cannot draw "${title}" as each cell of a heat map must be one row of the table "${table.name}": several have ${x} ${column} and ${y} ${row}; make the table by ${x} and ${y} alone`,
      );
    }
    line[cell] = index;
  });
  return { rows, columns, places };
}

const nameOf = (value: StudyValue | undefined): string => String(value ?? "unknown");

function valuesOf({ rows }: StudyTable, { places }: Grid, key: string): Values {
  return places.map((line) =>
    line.map((place) => {
      const value = place === undefined ? null : at(rows, place, "row")[key];
      return typeof value === "number" && Number.isFinite(value) ? value : null;
    }),
  );
}

function borderOf(values: Values, limit: number): HeatBorder {
  return { upper: values.map((line) => line.map((value) => (value === null ? null : value >= limit))) };
}

/** Finds the best cell of each column of the grid; the first of several equal ones. */
function bestCells(values: Values, best: NonNullable<StudyFigure["best"]>): HeatOverlay["dots"] {
  const sign = best === "least" ? 1 : -1;
  return at(values, 0, "row of cells").flatMap((_, column) => {
    const cells = values.flatMap((line, row) => {
      const value = line[column] ?? null;
      return value === null ? [] : [{ row, value: sign * value }];
    });
    const [first, ...others] = cells;
    if (first === undefined) return [];
    const { row } = others.reduce((least, cell) => (cell.value < least.value ? cell : least), first);
    return [[row, column] as const];
  });
}

const LINES = ["solid", "dashed", "dotted"] as const;

function borderWords({ borders = [] }: StudyFigure, table: StudyTable): string[] {
  return borders.map(({ of, at: limit }, index) => {
    const line = LINES[Math.min(index, LINES.length - 1)];
    const unit = table.columns.find(({ key }) => key === of)?.unit;
    const column = table.columns.find(({ key }) => key === of)?.title ?? of;
    return `The ${line} line is where ${column} crosses ${formatShort(limit)}${unit === undefined ? "" : ` ${unit}`}.`;
  });
}

function bestWords(
  { best }: StudyFigure,
  { across, down }: { readonly across: string; readonly down: string },
): string {
  return best === undefined ? "" : `A dot marks the ${best} value of each ${across}, over ${down}.`;
}
