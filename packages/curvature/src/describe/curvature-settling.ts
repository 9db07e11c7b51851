import {
  dataWords,
  type Figure,
  formatCounted,
  formatNumber,
  formatShort,
  type LinePoint,
  lossWords,
  type Section,
  type Table,
} from "@isthmus/findings";
import type { CurvatureResult } from "../curvature-result.ts";
import type { SettlingPoint, SettlingResult } from "../measure-settling.ts";
import { formsOf } from "./curvature-forms.ts";

/** Quantity that has a figure. */
interface Settling {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  /** Whether the values are losses, which have a unit. */
  readonly isLoss?: boolean;
  readonly caption: (settling: SettlingResult) => string;
  readonly numberOf: (point: SettlingPoint) => number;
  readonly errorOf: (point: SettlingPoint) => number;
  readonly scale?: "log";
}

const SETTLING: readonly Settling[] = [
  {
    name: "settling-change",
    title: "How much one more example changes the loss:",
    scale: "log",
    axis: "Change of the mean loss",
    isLoss: true,
    caption: ({ samples, deviation, exponent }) =>
      `the mean over ${formatCounted(samples, "place")} around the network, where every parameter has noise of standard deviation ${formatShort(deviation)}.${exponent === undefined ? "" : ` It falls like the number of examples to the power of ${formatNumber(exponent)}.`}`,
    numberOf: ({ change }) => change,
    errorOf: ({ changeError }) => changeError,
  },
  {
    name: "settling-eigenvalue",
    title: "Largest eigenvalue of the Hessian of fewer examples:",
    axis: "Largest eigenvalue",
    caption: () => "the first ones; bands reach as far as residuals.",
    numberOf: ({ largest }) => largest.value,
    errorOf: ({ largest }) => largest.residual,
  },
  {
    name: "settling-trace",
    title: "Trace of the Hessian of fewer examples:",
    axis: "Trace",
    caption: () => "the first ones; bands are one standard error.",
    numberOf: ({ trace }) => trace,
    errorOf: ({ traceError }) => traceError,
  },
];

/**
 * Describes how a loss settles as the number of examples grows; returns no section if that was not measured.
 */
export function settlingSection(result: CurvatureResult): Section[] {
  const { settling } = result;
  if (settling === undefined) return [];
  const figures = SETTLING.map((shown) => settlingFigure(result, settling, shown));
  return [{ name: "settling", title: "As the examples grow", figures, tables: [settlingTable(result)] }];
}

function settlingFigure(result: CurvatureResult, settling: SettlingResult, shown: Settling): Figure {
  const { name, title, caption, numberOf, errorOf, scale } = shown;
  const axis = shown.isLoss === true ? lossWords(result).axis(shown.axis) : shown.axis;
  const series = formsOf(result).flatMap(({ label, measures }, style) =>
    measures.settling === undefined
      ? []
      : [
          {
            label: label === "" ? axis : label,
            style,
            points: measures.settling.points.map((point) =>
              pointOf(point.size, numberOf(point), errorOf(point), scale),
            ),
          },
        ],
  );
  const words = settling.points.map((point) => `${point.size}: ${formatNumber(numberOf(point))}`);
  return {
    name,
    title,
    caption: `${caption(settling)} Parts of ${dataWords(result.data, settling.examples)}.`,
    words: `A line by number of examples. ${words.join("; ")}.`,
    table: "settling",
    size: "hero",
    plot: {
      kind: "lines",
      series,
      x: { label: "Examples", scale: "log" },
      y: { label: axis, ...(scale && { scale }) },
    },
  };
}

/** Returns a point with the error interval around it, if the interval can be drawn. */
function pointOf(x: number, y: number, error: number, scale: "log" | undefined): LinePoint {
  const isDrawn = Number.isFinite(error) && (scale !== "log" || y > error);
  return isDrawn ? { x, y, low: y - error, high: y + error } : { x, y };
}

function settlingTable(result: CurvatureResult): Table {
  const forms = formsOf(result);
  const isNamed = forms.length > 1;
  return {
    name: "settling",
    title: "As the examples grow",
    caption: "Changes are by one more example; eigenvalue and trace are of the Hessian of the first ones.",
    columns: [
      ...(isNamed ? ([{ title: "Network", kind: "text" }] as const) : []),
      { title: "Examples", kind: "count" },
      { title: "Loss", kind: "number" },
      { title: "Change", kind: "number" },
      { title: "Its standard error", kind: "number" },
      { title: "Largest eigenvalue", kind: "number" },
      { title: "Residual", kind: "number" },
      { title: "Trace", kind: "number" },
      { title: "Standard error", kind: "number" },
    ],
    rows: forms.flatMap(({ label, measures }) =>
      (measures.settling?.points ?? []).map((point) => ({
        cells: [...(isNamed ? [label] : []), ...cellsOf(point)],
      })),
    ),
  };
}

const cellsOf = ({ size, loss, change, changeError, largest, trace, traceError }: SettlingPoint) => [
  ...[size, loss, change, changeError],
  ...[largest.value, largest.residual, trace, traceError],
];
