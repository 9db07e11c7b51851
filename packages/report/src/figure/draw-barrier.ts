import {
  type BarrierPlot,
  chordAt,
  formatBarrier,
  formatMeasure,
  formatPlace,
  type Measure,
  type PlottedBarrier,
  textWidth,
} from "@isthmus/findings";
import type { Markish, PlotOptions } from "@observablehq/plot";
import { frameOf } from "./axes.ts";
import { type Drawing, heightFor, type PlotLibrary } from "./drawing.ts";
import { layOutLegend, legendMarks } from "./legend.ts";
import { type CurveStyle, curveStyle } from "./palette.ts";

/** A curve with its style, which is the same in every figure. */
interface StyledCurve extends PlottedBarrier, CurveStyle {}

/** Size of a figure, in pixels. */
interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Scale of each axis, in pixels per unit. */
interface PixelScale {
  readonly perT: number;
  readonly perValue: number;
}

/** Height of a bracket, in pixels, below which its value is only in the legend. */
const MIN_LABELLED_BRACKET = 26;
/** Half the width of the ends of a bracket, in pixels. */
const CAP = 4;
const MARGIN = { right: 20, bottom: 44, left: 58, top: 32 } as const;

/**
 * Draws curves along a path: every measured point, joined by straight lines, the chord of each curve as a
 * dashed line, and its barrier as a bracket from the chord to the curve, with its interval if it has one.
 */
export function drawBarrier(figure: BarrierPlot, heightOf: (width: number) => number = heightFor): Drawing {
  const curves = figure.curves.map((curve) => ({ ...curve, ...curveStyle(curve.style) }));
  return (plot, width) => describeFigure(plot, curves, { ...figure, width, height: heightOf(width) });
}

function describeFigure(
  plot: PlotLibrary,
  curves: readonly StyledCurve[],
  { measure, label, width, height }: Pick<BarrierPlot, "measure" | "label"> & PixelSize,
): PlotOptions {
  const legend = layOutLegend(
    curves.map((curve) => `${curve.label}, barrier ${formatBarrier(curve.barrier.chord, measure)}`),
    width - MARGIN.left - MARGIN.right,
  );
  const marginTop = MARGIN.top + legend.height;
  const domain = valueDomain(curves);
  const scale: PixelScale = {
    perT: width - MARGIN.left - MARGIN.right,
    perValue: (height - marginTop - MARGIN.bottom) / (domain[1] - domain[0]),
  };
  return {
    ...frameOf(width, height, { ...MARGIN, top: marginTop }),
    x: { type: "linear", domain: [0, 1] },
    y: { domain, nice: true },
    marks: [
      ...axisMarks(plot, { measure, width, label }),
      ...curves.flatMap((curve) => chordMarks(plot, curve)),
      ...curves.flatMap((curve) => curveMarks(plot, curve, measure)),
      ...curves.flatMap((curve) => bracketMarks(plot, curve, scale)),
      ...labelsOf(curves, measure, scale).map((label) => labelMark(plot, label)),
      ...curves.flatMap((curve, index) => legendMarks(plot, curve, legend.items[index])),
    ],
  };
}

/** Space for the label of a barrier above the highest curve, relative to the space below. */
const ROOM_ABOVE = 2;

/**
 * Computes the range of the vertical axis; it includes zero unless the curves stay far above it, so that
 * heights can be compared.
 */
function valueDomain(curves: readonly StyledCurve[]): [number, number] {
  const values = curves.flatMap((curve) => [
    ...curve.points.map(({ value }) => value),
    ...Object.values(intervalAround(curve) ?? {}),
  ]);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low) * 0.06 || Math.max(Math.abs(high) * 0.1, 1e-6);
  const bottom = low >= 0 && low < 2 * (high - low) ? 0 : low - pad;
  return [bottom, high + ROOM_ABOVE * pad];
}

/** Returns the ends of the interval of the barrier, as heights in the figure. */
function intervalAround(curve: PlottedBarrier): { y1: number; y2: number } | undefined {
  const { interval } = curve;
  const base = chordAt(curve, curve.barrier.at);
  return interval && { y1: base + interval.low, y2: base + interval.high };
}

function axisMarks(
  plot: PlotLibrary,
  { measure, width, label }: { readonly measure: Measure; readonly width: number; readonly label: string },
): Markish[] {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const ends: Readonly<Record<number, string>> = { 0: "0 (A)", 1: "1 (B)" };
  const yTicks = { ticks: 5, tickSize: 0, tickPadding: 8 };
  return [
    plot.gridY({ ticks: 5, stroke: "var(--isthmus-grid)", strokeOpacity: 1 }),
    plot.axisY({
      ...yTicks,
      label,
      labelArrow: "up",
      fill: "var(--isthmus-muted)",
      ...(measure === "error"
        ? { tickFormat: (value: number) => String(Number((100 * value).toFixed(3))) }
        : {}),
    }),
    plot.axisX({
      ticks,
      tickSize: 4,
      tickFormat: (t: number) => ends[t] ?? String(t),
      label: width < 480 ? "Place t on the path" : "Place t on the path from A to B",
      labelArrow: "right",
      labelOffset: 40,
      fill: "var(--isthmus-muted)",
      stroke: "var(--isthmus-muted)",
    }),
  ];
}

function chordMarks(plot: PlotLibrary, curve: StyledCurve): Markish[] {
  const ends = [0, 1].map((t) => ({ t, value: chordAt(curve, t) }));
  return [
    plot.line(ends, {
      x: "t",
      y: "value",
      stroke: curve.color,
      strokeWidth: 1.25,
      strokeDasharray: "2 4",
      strokeOpacity: 0.9,
    }),
  ];
}

function curveMarks(
  plot: PlotLibrary,
  { label, points, color, symbol }: StyledCurve,
  measure: Measure,
): Markish[] {
  const radius = points.length > 40 ? 2 : 3;
  return [
    plot.line(points, { x: "t", y: "value", stroke: color, strokeWidth: 2 }),
    plot.dot(points, {
      x: "t",
      y: "value",
      r: radius,
      symbol,
      fill: "var(--isthmus-background)",
      stroke: color,
      strokeWidth: 1.5,
      title: (point: PlottedBarrier["points"][number]) =>
        `${label}, t = ${formatPlace(point.t)}: ${measure} ${formatMeasure(point.value, measure)}`,
    }),
  ];
}

/** Draws the bracket of a barrier at the place of the barrier, from the chord to the curve. */
function bracketMarks(plot: PlotLibrary, curve: StyledCurve, scale: PixelScale): Markish[] {
  const { color } = curve;
  const { at, chord } = curve.barrier;
  const base = chordAt(curve, at);
  const interval = intervalAround(curve);
  const marks: Markish[] = [
    plot.ruleX([at], { y1: base, y2: base + chord, stroke: color, strokeWidth: 1.25 }),
    plot.ruleY([base, base + chord], {
      x1: at - CAP / scale.perT,
      x2: at + CAP / scale.perT,
      stroke: color,
      strokeWidth: 1.25,
    }),
  ];
  if (interval) {
    marks.push(plot.ruleX([at], { ...interval, stroke: color, strokeWidth: 9, strokeOpacity: 0.28 }));
  }
  return marks;
}

/** Label of a barrier: its value and its position. */
interface BracketLabel {
  readonly text: string;
  readonly at: number;
  readonly value: number;
}

/** Minimum distance between the middles of two labels one above the other, in pixels. */
const LABEL_HEIGHT = 15;

/**
 * Returns the values to show beside sufficiently long brackets, the highest first; a value that would cover
 * another one is only in the legend.
 */
function labelsOf(curves: readonly StyledCurve[], measure: Measure, scale: PixelScale): BracketLabel[] {
  const labels = curves
    .filter(({ barrier }) => barrier.chord * scale.perValue >= MIN_LABELLED_BRACKET)
    .map((curve) => {
      const { at, chord } = curve.barrier;
      const top = chordAt(curve, at) + chord;
      const value = Math.max(top, intervalAround(curve)?.y2 ?? 0);
      return { text: formatBarrier(chord, measure), at, value };
    })
    .sort((one, other) => other.value - one.value);
  const covers = (one: BracketLabel, other: BracketLabel) =>
    Math.abs(one.value - other.value) * scale.perValue < LABEL_HEIGHT &&
    Math.abs(one.at - other.at) * scale.perT < (textWidth(one.text) + textWidth(other.text)) / 2;
  const shown: BracketLabel[] = [];
  for (const label of labels) if (!shown.some((other) => covers(label, other))) shown.push(label);
  return shown;
}

function labelMark(plot: PlotLibrary, { text, at, value }: BracketLabel): Markish {
  return plot.text([text], {
    x: at,
    y: value,
    dy: -13,
    textAnchor: at > 0.9 ? "end" : at < 0.1 ? "start" : "middle",
    fill: "var(--isthmus-text)",
    stroke: "var(--isthmus-background)",
    strokeWidth: 4,
    fontWeight: 600,
  });
}
