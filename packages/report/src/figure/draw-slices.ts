import { at } from "@isthmus/core";
import { formatShort, type Slice, type SlicePlot, sequentialScale } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { frameOf } from "./axes.ts";
import { painter } from "./band-colors.ts";
import { COLOR_LEGEND_HEIGHT, colorLegend } from "./color-legend.ts";
import { type Drawing, FIGURE_WIDTHS, type PlotLibrary } from "./drawing.ts";

/** Columns of slices by the width of the figure. */
const COLUMNS = { hero: 5, half: 3, compact: 2 } as const;
const MARGIN = { right: 16, bottom: 28, left: 44, top: 22 } as const;
/** Pixels between neighbouring slices, across and down. */
const GAP = { across: 14, down: 28 } as const;

/**
 * Top left corner of a slice, relative to that of the frame and in units of the slice's side, with its
 * position in the grid of slices.
 */
interface Corner {
  readonly left: number;
  readonly top: number;
  /** Whether no slice is below this one. */
  readonly lowest: boolean;
  readonly first: boolean;
}

/** Draws slices of a grid beside each other as cells, all with the same scale of colours. */
export function drawSlices({ xs, ys, slices, label, format }: SlicePlot): Drawing {
  const scale = sequentialScale(slices.flatMap(({ values }) => values.flat()));
  const colorOf = painter(scale);
  const fillOf = (value: number) => (Number.isFinite(value) ? colorOf(value) : "var(--isthmus-muted)");
  return (plot, width) => {
    const columns = Math.min(columnsFor(width), slices.length);
    const rows = Math.ceil(slices.length / columns);
    const inner = width - MARGIN.left - MARGIN.right;
    const side = (inner - (columns - 1) * GAP.across) / columns;
    const marginTop = MARGIN.top + COLOR_LEGEND_HEIGHT;
    const high = rows * side + (rows - 1) * GAP.down;
    const cornerOf = (index: number): Corner => ({
      left: (index % columns) * (1 + GAP.across / side),
      top: Math.floor(index / columns) * (1 + GAP.down / side),
      lowest: index + columns >= slices.length,
      first: index % columns === 0,
    });
    return {
      ...frameOf(width, Math.round(marginTop + MARGIN.bottom + high), { ...MARGIN, top: marginTop }),
      color: { type: "identity" },
      x: { domain: [0, inner / side], axis: null },
      y: { domain: [high / side, 0], axis: null },
      marks: [
        plot.rect(
          slices.flatMap(({ values }, index) => cellsOf({ values, fillOf }, cornerOf(index))),
          { x1: "x1", x2: "x2", y1: "y1", y2: "y2", fill: "fill", inset: -0.25 },
        ),
        ...wordMarks(plot, { xs, ys, slices }, cornerOf),
        colorLegend({ label, scale, format, above: MARGIN.top }),
      ],
    };
  };
}

function columnsFor(width: number): number {
  if (width >= FIGURE_WIDTHS.hero) return COLUMNS.hero;
  return width >= FIGURE_WIDTHS.half ? COLUMNS.half : COLUMNS.compact;
}

function cellsOf(
  { values, fillOf }: Pick<Slice, "values"> & { readonly fillOf: (value: number) => string },
  { left, top }: Corner,
) {
  const rows = values.length;
  return values.flatMap((row, j) =>
    row.map((value, i) => ({
      x1: left + i / row.length,
      x2: left + (i + 1) / row.length,
      y1: top + 1 - j / rows,
      y2: top + 1 - (j + 1) / rows,
      fill: fillOf(value),
    })),
  );
}

/** Writes the label above every slice, and the ends of the axes below and on the left of the outer ones. */
function wordMarks(
  plot: PlotLibrary,
  { xs, ys, slices }: Pick<SlicePlot, "xs" | "ys" | "slices">,
  cornerOf: (index: number) => Corner,
): Markish[] {
  const corners = slices.map(({ label }, index) => ({ label, ...cornerOf(index) }));
  const ends = (axis: readonly number[]) =>
    [0, axis.length - 1].map((i) => ({
      share: (i + 0.5) / axis.length,
      text: formatShort(at(axis, i, "coordinate")),
    }));
  const below = corners
    .filter(({ lowest }) => lowest)
    .flatMap(({ left, top }) => ends(xs).map(({ share, text }) => ({ x: left + share, y: top + 1, text })));
  const beside = corners
    .filter(({ first }) => first)
    .flatMap(({ left, top }) => ends(ys).map(({ share, text }) => ({ x: left, y: top + 1 - share, text })));
  const muted = { x: "x", y: "y", text: "text", fill: "var(--isthmus-muted)" } as const;
  return [
    plot.text(corners, {
      x: "left",
      y: "top",
      text: "label",
      textAnchor: "start",
      dy: -9,
      fill: "var(--isthmus-text)",
    }),
    plot.text(below, { ...muted, dy: 11 }),
    plot.text(beside, { ...muted, textAnchor: "end", dx: -6 }),
  ];
}
