import { type Bar, type BarPlot, type BarPoints, fitText, textWidth } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { domainOf, formatBesideMark, frameOf, horizontalAxis } from "./axes.ts";
import type { Drawing, PlotLibrary } from "./drawing.ts";
import { layOutLegend, legendMarks } from "./legend.ts";
import { type CurveStyle, curveStyle } from "./palette.ts";

const BAR = 13;
/** Height of the bars of a single row: as thin as in many rows, they would look like a strip. */
const SINGLE_BAR = 26;
const GAP = 9;
/** Height of the title above the names of rows. */
const TITLE = 18;
const MARGIN = { bottom: 46, top: 10 } as const;
/** Space on the right for the value at the end of the longest bar, in pixels. */
const VALUE_ROOM = 62;
/** Maximum share of the width for names of rows. */
const NAME_SHARE = 0.36;

/**
 * Draws horizontal bars in rows, with their values and intervals; the height follows from the number of rows.
 */
export function drawBars(figure: BarPlot): Drawing {
  const { rows, rowsTitle, series, bars, axis, points = [] } = figure;
  const lanes = figure.single ? [0] : series.map((_, index) => index);
  const thickness = rows.length === 1 ? SINGLE_BAR : BAR;
  const domain = domainOf(
    [
      0,
      ...bars.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
      ...points.flatMap(({ values }) => values.map(({ value }) => value)),
    ],
    { ...axis, fromZero: true },
  );
  const entries = [
    ...series.map((label, index) => ({ label, style: squareStyle(index) })),
    ...points.map(({ label }, index) => ({ label, style: pointStyle(index) })),
  ];
  return (plot, width) => {
    const marginLeft = Math.min(
      Math.max(24, ...[...rows, rowsTitle ?? ""].map(textWidth)) + 16,
      width * NAME_SHARE,
    );
    const legend = layOutLegend(
      entries.map(({ label }) => label),
      width - marginLeft - VALUE_ROOM,
    );
    const shown = entries.length > 1;
    const marginTop = MARGIN.top + Math.max(shown ? legend.height : 0, rowsTitle === undefined ? 0 : TITLE);
    return {
      ...frameOf(width, marginTop + MARGIN.bottom + rows.length * (lanes.length * thickness + GAP), {
        top: marginTop,
        right: VALUE_ROOM,
        bottom: MARGIN.bottom,
        left: marginLeft,
      }),
      x: { type: axis.scale ?? "linear", domain },
      y: { domain: lanes, axis: null, paddingInner: 0.12, paddingOuter: 0.35 },
      fy: { domain: [...rows], padding: 0 },
      marks: [
        ...horizontalAxis(plot, axis, domain, { count: width < 400 ? 3 : 6, grid: true }),
        plot.axisFy({
          anchor: "left",
          label: null,
          tickSize: 0,
          tickFormat: (name: string) => fitText(name, marginLeft - 12),
          fill: "var(--isthmus-text)",
        }),
        ...(rowsTitle === undefined ? [] : [titleOfRows(plot, rowsTitle, marginLeft)]),
        ...barMarks(plot, figure, (width - marginLeft - VALUE_ROOM) / (domain[1] - domain[0])),
        ...(shown
          ? entries.flatMap(({ style }, index) => legendMarks(plot, style, legend.items[index]))
          : []),
      ],
    };
  };
}

/** Writes the title of the rows above their names, which end at the left of the frame. */
function titleOfRows(plot: PlotLibrary, title: string, room: number): Markish {
  return plot.text([fitText(title, room - 12)], {
    frameAnchor: "top-left",
    facet: "super",
    dx: -9,
    dy: -9,
    textAnchor: "end",
    lineAnchor: "middle",
    fill: "var(--isthmus-muted)",
  });
}

/** Returns the style of a bar in the legend: a square of the bar's colour, as bars have no symbols. */
const squareStyle = (index: number) => ({ ...curveStyle(index), symbol: "square" as const, filled: true });

/** Returns the style of points on bars: their symbols are not squares, and no bar has their colour. */
function pointStyle(index: number): CurveStyle {
  const symbols = ["circle", "diamond", "triangle"] as const;
  return { color: "var(--isthmus-text)", symbol: symbols[index % symbols.length] ?? symbols[0] };
}

/** Style of the background that hides an interval behind a number. */
const HALO = {
  fill: "var(--isthmus-background)",
  stroke: "var(--isthmus-background)",
  strokeWidth: 4,
  paintOrder: "normal",
  ariaHidden: "true",
} as const;

/** @param scale - pixels of a unit of the values */
function barMarks(plot: PlotLibrary, figure: BarPlot, scale: number): Markish[] {
  const { bars, axis, series, single } = figure;
  const place = { fy: "row", y: (bar: Bar) => (single ? 0 : bar.series) } as const;
  const number = {
    ...place,
    x: (bar: Bar) => placeOfNumber(bar, figure, scale),
    text: (bar: Bar) => formatBesideMark(axis, bar.value),
    fontSize: 11,
    textAnchor: "start",
    dx: figure.points ? 8 : 4,
  } as const;
  // Only numbers on an interval need a background.
  const hidden = bars.filter((bar) => isLong(bar, figure, scale));
  return [
    plot.barX(bars, {
      ...place,
      x1: 0,
      x2: "value",
      fill: (bar: Bar) => curveStyle(bar.series).color,
      title: (bar: Bar) =>
        `${[bar.row, series[bar.series]].filter(Boolean).join(", ")}: ${formatBesideMark(axis, bar.value)}`,
    }),
    // An interval of length zero is not drawn: it would look like a measured one.
    plot.ruleY(
      bars.filter(({ low, high }) => low !== undefined && high !== undefined && low < high),
      { ...place, x1: "low", x2: "high", stroke: "var(--isthmus-text)", strokeWidth: 1.25 },
    ),
    plot.ruleX([0], { stroke: "var(--isthmus-muted)" }),
    ...pointMarks(plot, figure),
    // Numbers stand right of their bar and its points, where names of rows never are; or on an interval that
    // is longer than the number.
    plot.text(hidden, { ...number, ...HALO }),
    plot.text(bars, number),
  ];
}

/**
 * Finds the position of the number of a bar: at the largest value that the bar, its interval or the points of
 * its row reach; but beside the bar itself if its interval is so long that it extends beyond the number.
 */
function placeOfNumber(bar: Bar, figure: BarPlot, scale: number): number {
  const { row, value, high } = bar;
  const { points = [] } = figure;
  if (isLong(bar, figure, scale)) return Math.max(0, value);
  const beside = points.flatMap(({ values }) => values.filter((one) => one.row === row));
  return Math.max(0, value, high ?? value, ...beside.map((one) => one.value));
}

function pointMarks(plot: PlotLibrary, { points = [], axis }: BarPlot): Markish[] {
  return points.map(({ label, values }, index) => {
    const { color, symbol } = pointStyle(index);
    return plot.dot(values, {
      fy: "row",
      y: 0,
      x: "value",
      r: 3.5,
      symbol,
      fill: "var(--isthmus-background)",
      stroke: color,
      strokeWidth: 1.5,
      title: ({ row, value }: BarPoints["values"][number]) =>
        `${row}, ${label}: ${formatBesideMark(axis, value)}`,
    });
  });
}

/** Checks whether an interval extends beyond the number at the end of its bar. */
function isLong({ value, high }: Bar, { points = [] }: BarPlot, scale: number): boolean {
  return points.length === 0 && high !== undefined && (high - value) * scale > VALUE_ROOM;
}
