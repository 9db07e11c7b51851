import type { BarrierResult } from "@isthmus/barrier";
import type { Measure } from "@isthmus/findings";
import {
  formatBarrier,
  formatMeasure,
  formatPlace,
  type MeasureWords,
  measureWords,
} from "@isthmus/findings";
import type { Markish, PlotOptions } from "@observablehq/plot";
import { type BarrierCurve, chordAt } from "../barrier-curve.ts";
import { FIGURE_TEXT_STYLE } from "./axes.ts";
import { type Drawing, heightFor, type Plot } from "./figure.ts";
import { layOutLegend, legendMarks, textWidth } from "./legend.ts";
import { type CurveStyle, curveStyle } from "./palette.ts";

/** A curve with the style it keeps in every figure. */
interface StyledCurve extends BarrierCurve, CurveStyle {}

/** Pixels of a unit of each axis. */
interface PixelScale {
  readonly perT: number;
  readonly perValue: number;
}

/** Pixels below which a value is not written beside its bracket, but only in the legend. */
const MIN_LABELLED_BRACKET = 26;
/** Half the width of the ends of a bracket, in pixels. */
const CAP = 4;
const MARGIN = { right: 20, bottom: 44, left: 58, top: 32 } as const;

/** A figure of barrier curves. */
export interface BarrierFigure {
  /** What to draw. */
  readonly measure: Measure;
  /** Indices of the curves to draw, in the colours they have among all; none for all of them. */
  readonly only?: readonly number[];
}

/**
 * Describes curves along a path: every measured point, joined by straight lines, the chord of each curve as a
 * dashed line, and its barrier as a bracket from the chord to the curve, with its interval if it has one.
 */
export function drawBarrier(
  curves: readonly BarrierCurve[],
  figure: BarrierFigure,
  heightOf: (width: number) => number = heightFor,
): Drawing {
  return (plot, width) =>
    describeFigure(plot, choose(curves, figure), {
      measure: figure.measure,
      width,
      height: heightOf(width),
    });
}

function choose(curves: readonly BarrierCurve[], { only = [] }: Pick<BarrierFigure, "only">): StyledCurve[] {
  return curves
    .map((curve, index) => ({ ...curve, ...curveStyle(index) }))
    .filter((_, index) => only.length === 0 || only.includes(index));
}

function describeFigure(
  plot: Plot,
  curves: readonly StyledCurve[],
  { measure, width, height }: { readonly measure: Measure; readonly width: number; readonly height: number },
): PlotOptions {
  const legend = layOutLegend(
    curves.map(
      ({ label, result }) => `${label}, barrier ${formatBarrier(result.barrier[measure].chord, measure)}`,
    ),
    width - MARGIN.left - MARGIN.right,
  );
  const marginTop = MARGIN.top + legend.height;
  const domain = valueDomain(curves, measure);
  const scale: PixelScale = {
    perT: width - MARGIN.left - MARGIN.right,
    perValue: (height - marginTop - MARGIN.bottom) / (domain[1] - domain[0]),
  };
  return {
    width,
    height,
    marginTop,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: FIGURE_TEXT_STYLE,
    x: { type: "linear", domain: [0, 1] },
    y: { domain, nice: true },
    marks: [
      ...axisMarks(plot, { measure, width, label: wordsOf(curves, measure).axis }),
      ...curves.flatMap((curve) => chordMarks(plot, curve, measure)),
      ...curves.flatMap((curve) => curveMarks(plot, curve, measure)),
      ...curves.flatMap((curve) => bracketMarks(plot, curve, measure, scale)),
      ...labelsOf(curves, measure, scale).map((label) => labelMark(plot, label)),
      ...curves.flatMap((curve, index) => legendMarks(plot, curve, legend.items[index])),
    ],
  };
}

/** Room above the highest curve for the value of its barrier, relative to that below. */
const ROOM_ABOVE = 2;

/** Zero is part of the picture unless the curves stay far above it, so that heights can be compared. */
function valueDomain(curves: readonly BarrierCurve[], measure: Measure): [number, number] {
  const values = curves.flatMap(({ result }) => [
    ...result.points.map((point) => point[measure]),
    ...Object.values(intervalAround(result, measure) ?? {}),
  ]);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low) * 0.06 || Math.max(Math.abs(high) * 0.1, 1e-6);
  const bottom = low >= 0 && low < 2 * (high - low) ? 0 : low - pad;
  return [bottom, high + ROOM_ABOVE * pad];
}

/** Ends of the interval of the barrier, as heights in the picture. */
function intervalAround(result: BarrierResult, measure: Measure): { y1: number; y2: number } | undefined {
  const interval = result.interval?.[measure];
  const base = chordAt(result, measure, result.barrier[measure].at);
  return interval && { y1: base + interval.low, y2: base + interval.high };
}

function axisMarks(
  plot: Plot,
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

function chordMarks(plot: Plot, { result, color }: StyledCurve, measure: Measure): Markish[] {
  const ends = [0, 1].map((t) => ({ t, value: chordAt(result, measure, t) }));
  return [
    plot.line(ends, {
      x: "t",
      y: "value",
      stroke: color,
      strokeWidth: 1.25,
      strokeDasharray: "2 4",
      strokeOpacity: 0.9,
    }),
  ];
}

function curveMarks(plot: Plot, { label, result, color, symbol }: StyledCurve, measure: Measure): Markish[] {
  const radius = result.points.length > 40 ? 2 : 3;
  return [
    plot.line(result.points, { x: "t", y: measure, stroke: color, strokeWidth: 2 }),
    plot.dot(result.points, {
      x: "t",
      y: measure,
      r: radius,
      symbol,
      fill: "var(--isthmus-background)",
      stroke: color,
      strokeWidth: 1.5,
      title: (point: { t: number } & Record<Measure, number>) =>
        `${label}, t = ${formatPlace(point.t)}: ${measure} ${formatMeasure(point[measure], measure)}`,
    }),
  ];
}

/** Draws the bracket of a barrier at the place of the barrier, from the chord to the curve. */
function bracketMarks(
  plot: Plot,
  { result, color }: StyledCurve,
  measure: Measure,
  scale: PixelScale,
): Markish[] {
  const { at, chord } = result.barrier[measure];
  const base = chordAt(result, measure, at);
  const interval = intervalAround(result, measure);
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

/** The value of a barrier and where it stands. */
interface BracketLabel {
  readonly text: string;
  readonly at: number;
  readonly value: number;
}

/** Least distance of the middles of two labels one above the other, in pixels. */
const LABEL_HEIGHT = 15;

/**
 * Returns the values that stand beside brackets which are long enough, the highest first: a value that
 * would cover another one is in the legend only.
 */
function labelsOf(curves: readonly StyledCurve[], measure: Measure, scale: PixelScale): BracketLabel[] {
  const labels = curves
    .filter(({ result }) => result.barrier[measure].chord * scale.perValue >= MIN_LABELLED_BRACKET)
    .map(({ result }) => {
      const { at, chord } = result.barrier[measure];
      const top = chordAt(result, measure, at) + chord;
      const value = Math.max(top, intervalAround(result, measure)?.y2 ?? 0);
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

function labelMark(plot: Plot, { text, at, value }: BracketLabel): Markish {
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

/** Says in a sentence what the figure shows, for those who do not see it. */
export function describeBarrier(curves: readonly BarrierCurve[], figure: BarrierFigure): string {
  const { measure } = figure;
  const shown = choose(curves, figure);
  const sentences = shown.map(({ label, result }) => {
    const { chord, at } = result.barrier[measure];
    const [first, last] = [0, 1].map((t) => formatMeasure(chordAt(result, measure, t), measure));
    return `${label}: ${first} at A, ${last} at B, barrier ${formatBarrier(chord, measure)} at t = ${formatPlace(at)}`;
  });
  return `${wordsOf(shown, measure).name} along the path. ${sentences.join("; ")}`;
}

function wordsOf(curves: readonly BarrierCurve[], measure: Measure): MeasureWords {
  return measureWords(measure, ...curves.map(({ result }) => result.data));
}
