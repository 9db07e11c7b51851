import { at } from "@isthmus/core";
import { fitText, formatAs, type HeatPlot, textWidth } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { frameOf } from "./axes.ts";
import { painter } from "./band-colors.ts";
import { COLOR_LEGEND_HEIGHT, colorLegend } from "./color-legend.ts";
import type { Drawing, PlotLibrary } from "./drawing.ts";
import { heatOverlay } from "./heat-overlay.ts";
import { textColorOn } from "./ramp.ts";
import { splitName } from "./split-name.ts";
import { treeHeight, treeMark } from "./tree-mark.ts";

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly value: number;
  readonly color: string;
}

const isKnown = (value: number | null | undefined): value is number => Number.isFinite(value);

const ROW = 22;
/** Maximum width of a cell, in pixels: wider cells would only be areas of colour. */
const WIDEST_CELL = 120;
/** Maximum side of a square cell, in pixels, with space for a number of three digits. */
const SQUARE = 48;
/** Width of a label along the rows, in pixels. */
const ROW_LABEL = 20;
/**
 * Height of a row whose name takes two lines, and offset of each line from the middle of its row, in pixels.
 */
const TWO_LINES = { row: 32, off: 7 } as const;
const MARGIN = { right: 20, bottom: 46, top: 12 } as const;
const NAME_SHARE = 0.36;
/**
 * Minimum width of a column with a slanted name below it, and maximum length of a slanted name, in pixels.
 */
const SLANTED_WIDTH = 15;
/** Width of a name, in pixels, up to which it is left out rather than slanted. */
const SHORT_NAME = 48;
const SLANTED_LENGTH = 110;

/** Lists the cells that have a value. */
function cellsOf({
  rows,
  columns,
  values,
  scale,
}: Pick<HeatPlot, "rows" | "columns" | "values" | "scale">): Cell[] {
  const colorOf = painter(scale);
  return rows.flatMap((row, y) =>
    columns.flatMap((column, x): Cell[] => {
      const value = values[y]?.[x];
      return isKnown(value) ? [{ row, column, value, color: colorOf(value) }] : [];
    }),
  );
}

/**
 * Draws the names of rows: in one line, or in two lines by two axes, as the library would draw the lines of
 * one axis over each other.
 */
function rowNames(
  plot: PlotLibrary,
  {
    rows,
    lines,
    rowLabel,
    marginLeft,
  }: Pick<HeatPlot, "rows" | "rowLabel"> & {
    readonly lines: readonly (readonly string[])[];
    readonly marginLeft: number;
  },
): Markish[] {
  const named = rows.map((name, row) => ({ name, lines: at(lines, row, "name") }));
  const textOf = new Map(named.map((row) => [row.name, row.lines]));
  const axis = (count: number, line: number, dy: number): Markish =>
    plot.axisY({
      ticks: named.filter((row) => row.lines.length === count).map(({ name }) => name),
      label: line === 0 && count === 1 ? (rowLabel ?? null) : null,
      labelOffset: marginLeft - ROW_LABEL / 2,
      labelArrow: "none",
      tickSize: 0,
      dy,
      tickFormat: (name: string) => textOf.get(name)?.[line] ?? name,
    });
  const two = named.some((row) => row.lines.length > 1);
  return [axis(1, 0, 0), ...(two ? [axis(2, 0, -TWO_LINES.off), axis(2, 1, TWO_LINES.off)] : [])];
}

/**
 * Computes the size of a cell, in pixels, from the width of its column and the space that the name of a row
 * needs.
 */
function cellSize(
  room: number,
  nameHeight: number,
  square: boolean,
): { readonly cellWidth: number; readonly rowHeight: number } {
  if (!square) return { cellWidth: Math.min(room, WIDEST_CELL), rowHeight: nameHeight };
  const cellWidth = Math.min(room, SQUARE);
  return { cellWidth, rowHeight: Math.max(nameHeight, cellWidth) };
}

/** Draws a table as colours, with numbers if they fit, and the legend of colours that planes have. */
export function drawHeat({
  rows,
  columns,
  values,
  label,
  columnLabel,
  rowLabel,
  scale,
  format,
  coarse = format,
  tree = [],
  overlay = { borders: [], dots: [] },
  square = false,
}: HeatPlot): Drawing {
  const cells = cellsOf({ rows, columns, values, scale });
  const beside = rowLabel === undefined ? 0 : ROW_LABEL;
  return (plot, width) => {
    const marginLeft = Math.min(Math.max(24, ...rows.map(textWidth)) + 14 + beside, width * NAME_SHARE);
    const lines = rows.map((name) => splitName(name, marginLeft - 12 - beside));
    const { cellWidth, rowHeight } = cellSize(
      (width - marginLeft - MARGIN.right) / columns.length,
      lines.some(({ length }) => length > 1) ? TWO_LINES.row : ROW,
      square,
    );
    const written = [format, coarse].find((shown) =>
      cells.every(({ value }) => textWidth(formatAs(value, shown)) * 0.9 < cellWidth - 4),
    );
    const widest = Math.max(...columns.map(textWidth)) + 4;
    const slanted = widest > Math.max(cellWidth, SHORT_NAME) && cellWidth >= SLANTED_WIDTH;
    const stride = slanted ? 1 : Math.ceil(widest / cellWidth);
    const marginTop = MARGIN.top + COLOR_LEGEND_HEIGHT + treeHeight(tree);
    const marginBottom = slanted ? Math.min(widest, SLANTED_LENGTH) * 0.6 + 34 : MARGIN.bottom;
    return {
      ...frameOf(width, Math.round(marginTop + marginBottom + rows.length * rowHeight), {
        top: marginTop,
        right: width - marginLeft - cellWidth * columns.length,
        bottom: marginBottom,
        left: marginLeft,
      }),
      color: { type: "identity" },
      x: { type: "band", domain: [...columns], padding: 0.03 },
      y: { type: "band", domain: [...rows], padding: 0.08 },
      marks: [
        ...rowNames(plot, { rows, lines, rowLabel, marginLeft }),
        plot.axisX({
          label: columnLabel,
          labelOffset: slanted ? marginBottom - ROW / 3 : 40,
          tickSize: 0,
          tickFormat: (name: string) => (slanted ? fitText(name, SLANTED_LENGTH) : name),
          tickRotate: slanted ? -35 : 0,
          ticks: columns.filter((_, index) => index % stride === 0),
          fill: "var(--isthmus-muted)",
        }),
        plot.cell(cells, {
          x: "column",
          y: "row",
          fill: "color",
          title: (cell: Cell) => `${cell.row}, ${cell.column}: ${formatAs(cell.value, format)}`,
        }),
        ...(written === undefined
          ? []
          : [
              plot.text(cells, {
                x: "column",
                y: "row",
                text: (cell: Cell) => formatAs(cell.value, written),
                fontSize: 11,
                fill: (cell: Cell) => textColorOn(cell.color),
              }),
            ]),
        treeMark(tree, columns),
        heatOverlay(overlay, rows, columns),
        colorLegend({ label, scale, format: "short", above: treeHeight(tree) }),
      ],
    };
  };
}
