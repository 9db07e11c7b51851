import { at } from "@isthmus/core";
import { FIGURE_TEXT_STYLE } from "./axes.ts";
import { COLOR_LEGEND_HEIGHT, colorLegend } from "./color-legend.ts";
import { colorOf, sequentialScale } from "./color-scale.ts";
import { type Drawing, FIGURE_WIDTHS, type Plot } from "./figure.ts";
import { endsOf } from "./resample.ts";

/** One slice of a grid. */
export interface Slice {
  /** Words above it. */
  readonly label: string;
  /** `[ys][xs]`; places of what is not finite are grey. */
  readonly values: readonly (readonly number[])[];
}

/** What {@link drawSlices} draws. */
export interface SliceFigure {
  /** Ascending coordinates of the columns of every slice; at least two. */
  readonly xs: readonly number[];
  /** Ascending coordinates of the rows of every slice; at least two. */
  readonly ys: readonly number[];
  readonly slices: readonly Slice[];
  /** Words for the colours, with the unit. */
  readonly label: string;
  readonly format: (value: number) => string;
}

/** Columns of slices by the width of the figure. */
const COLUMNS = { hero: 5, half: 3, compact: 2 } as const;
const MARGIN = { right: 16, bottom: 40, left: 44, top: 30 } as const;
/** Pixels between slices, and for the words above each. */
const GAP = { across: 14, words: 24 } as const;

interface Cell {
  readonly fx: number;
  readonly fy: number;
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  readonly fill: string;
}

/** Draws slices of a grid beside each other as cells, all with one scale of colours. */
export function drawSlices({ xs, ys, slices, label, format }: SliceFigure): Drawing {
  const scale = sequentialScale(slices.flatMap(({ values }) => values.flat()));
  const fillOf = (value: number) => (Number.isFinite(value) ? colorOf(value, scale) : "var(--isthmus-muted)");
  return (plot, width) => {
    const columns = Math.min(columnsFor(width), slices.length);
    const rows = Math.ceil(slices.length / columns);
    const side = (width - MARGIN.left - MARGIN.right - (columns - 1) * GAP.across) / columns;
    const marginTop = MARGIN.top + COLOR_LEGEND_HEIGHT;
    const facets = slices.map((slice, index) => ({
      ...slice,
      ...{ fx: index % columns, fy: Math.floor(index / columns) },
    }));
    const cells = facets.flatMap(({ values, fx, fy }) => cellsOf({ xs, ys, values, fillOf }, { fx, fy }));
    return {
      width,
      height: Math.round(marginTop + MARGIN.bottom + rows * side + (rows - 1) * GAP.words),
      ...{ marginTop, marginRight: MARGIN.right, marginBottom: MARGIN.bottom, marginLeft: MARGIN.left },
      style: FIGURE_TEXT_STYLE,
      color: { type: "identity" },
      x: { domain: outerEnds(xs) },
      y: { domain: outerEnds(ys) },
      fx: {
        axis: null,
        padding: paddingOf(columns, side, GAP.across),
        domain: Array.from({ length: columns }, (_, i) => i),
      },
      fy: {
        axis: null,
        padding: paddingOf(rows, side, GAP.words),
        domain: Array.from({ length: rows }, (_, i) => i),
      },
      marks: [
        plot.rect(cells, {
          ...{ fx: "fx", fy: "fy", x1: "x1", x2: "x2", y1: "y1", y2: "y2" },
          fill: "fill",
          inset: -0.25,
        }),
        ...axisMarks(plot, columns),
        plot.text(facets, {
          ...{ fx: "fx", fy: "fy", text: "label", frameAnchor: "top-left", dy: -14 },
          fill: "var(--isthmus-text)",
        }),
        colorLegend({ label, scale, format, above: GAP.words - 6 }),
      ],
    };
  };
}

function columnsFor(width: number): number {
  if (width >= FIGURE_WIDTHS.hero) return COLUMNS.hero;
  return width >= FIGURE_WIDTHS.half ? COLUMNS.half : COLUMNS.compact;
}

/** Share of a step between slices that is left free. */
const paddingOf = (count: number, side: number, gap: number): number => (count < 2 ? 0 : gap / (side + gap));

function axisMarks(plot: Plot, columns: number): ReturnType<Plot["axisX"]>[] {
  const style = { tickSize: 3, fill: "var(--isthmus-muted)", stroke: "var(--isthmus-muted)", label: null };
  const ticks = columns > 3 ? 3 : 4;
  return [
    plot.axisX({ ...style, anchor: "bottom", ticks }),
    plot.axisY({ ...style, anchor: "left", ticks }),
  ] as ReturnType<Plot["axisX"]>[];
}

/** Cells reach half-way to their neighbours, and as far beyond the ends. */
function edgesOf(coordinates: readonly number[]): number[] {
  const [first, last] = endsOf(coordinates);
  const half = (last - first) / (coordinates.length - 1) / 2;
  const between = coordinates.slice(1).map((x, i) => (x + at(coordinates, i, "coordinate")) / 2);
  return [first - half, ...between, last + half];
}

function outerEnds(coordinates: readonly number[]): [number, number] {
  return endsOf(edgesOf(coordinates));
}

function cellsOf(
  {
    xs,
    ys,
    values,
    fillOf,
  }: Pick<SliceFigure, "xs" | "ys"> & Pick<Slice, "values"> & { readonly fillOf: (value: number) => string },
  facet: Pick<Cell, "fx" | "fy">,
): Cell[] {
  const [columns, rows] = [edgesOf(xs), edgesOf(ys)];
  return values.flatMap((row, j) =>
    row.map((value, i) => ({
      ...facet,
      ...{ x1: at(columns, i, "edge"), x2: at(columns, i + 1, "edge") },
      ...{ y1: at(rows, j, "edge"), y2: at(rows, j + 1, "edge") },
      fill: fillOf(value),
    })),
  );
}
