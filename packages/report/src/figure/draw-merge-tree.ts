import { at } from "@isthmus/core";
import type { BarcodePlot, MergeTreePlot, PersistenceBar, TreeBranch } from "@isthmus/findings";
import { domainOf, formatBesideMark, frameOf, horizontalAxis, verticalAxis } from "./axes.ts";
import { type Drawing, heightFor, type PlotLibrary } from "./drawing.ts";
import { curveColor } from "./palette.ts";

const MARGIN = { right: 24, bottom: 40, left: 58, top: 28 } as const;
const STROKE = { stroke: "var(--isthmus-muted)", strokeWidth: 1.5 } as const;

/** Draws a merge tree: minima below, and bars at the heights at which their branches meet. */
export function drawMergeTree({ branches, joins, minima, axis }: MergeTreePlot): Drawing {
  const y = domainOf(
    branches.flatMap(({ from, to }) => [from, to]),
    axis,
  );
  const x: [number, number] = [-0.5, minima - 0.5];
  return (plot, width) => ({
    ...frameOf(width, heightFor(width), MARGIN),
    x: { domain: x },
    y: { domain: y },
    marks: [
      ...verticalAxis(plot, axis, y),
      ...horizontalAxis(plot, { label: "Minima, branches beside each other", ticks: [] }, x),
      plot.ruleX(branches, { x: "x", y1: "from", y2: "to", ...STROKE }),
      plot.ruleY(joins, { y: "y", x1: "left", x2: "right", ...STROKE }),
      ...ends(plot, branches),
    ],
  });
}

function ends(plot: PlotLibrary, branches: readonly TreeBranch[]): ReturnType<PlotLibrary["dot"]>[] {
  const place = {
    x: "x",
    y: "from",
    title: "title",
    fill: "var(--isthmus-background)",
    strokeWidth: 1.5,
  } as const;
  return [
    plot.dot(
      branches.filter(({ kind }) => kind === "saddle"),
      { ...place, r: 3, symbol: "square", stroke: curveColor(1) },
    ),
    plot.dot(
      branches.filter(({ kind }) => kind === "minimum"),
      { ...place, r: 4, symbol: "triangle2", stroke: curveColor(0) },
    ),
  ];
}

/** Height of a bar with its gap, minimum height of all bars, and height of a name beside a bar, in pixels. */
const BAR = { height: 9, least: 120, name: 13 } as const;

/** Lists the rows whose names are shown beside them: all rows, or as many as fit without overlap. */
function namedRows(bars: readonly PersistenceBar[]): number[] {
  const stride = Math.ceil((BAR.name * bars.length) / heightOf(bars));
  return bars.map((_, row) => row).filter((row) => row % stride === 0);
}

/** Computes the height of all bars, in pixels. */
function heightOf(bars: readonly PersistenceBar[]): number {
  return Math.max(BAR.least, BAR.height * bars.length);
}

/**
 * Draws a persistence barcode: one bar for every minimum, from its height to the height at which it meets a
 * deeper minimum.
 */
export function drawBarcode({ bars, axis }: BarcodePlot): Drawing {
  const x = domainOf(
    bars.flatMap(({ from, to }) => [from, to]),
    axis,
  );
  const rows = bars.map((bar, row) => ({
    ...bar,
    row,
    title: `${formatBesideMark(axis, bar.from)} to ${formatBesideMark(axis, bar.to)}`,
  }));
  return (plot, width) => ({
    ...frameOf(width, MARGIN.top + MARGIN.bottom + 6 + heightOf(bars), {
      ...MARGIN,
      bottom: MARGIN.bottom + 6,
    }),
    x: { domain: x },
    y: { domain: [bars.length - 0.5, -0.5] },
    marks: [
      plot.axisY({
        ticks: namedRows(bars),
        tickFormat: (row: number) => at(bars, row, "bar").name,
        tickSize: 0,
        tickPadding: 8,
        fill: "var(--isthmus-muted)",
        label: "Minimum",
        labelArrow: "none",
        labelAnchor: "center",
      }),
      ...horizontalAxis(plot, axis, x, { count: width < 400 ? 4 : 6, grid: true }),
      plot.ruleY(rows, {
        y: "row",
        x1: "from",
        x2: "to",
        title: "title",
        strokeWidth: 4,
        stroke: ({ endless }: PersistenceBar) => (endless ? curveColor(1) : curveColor(0)),
      }),
    ],
  });
}
