import { UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatCounted,
  formatNumber,
  lossWords,
  type Report,
  type Table,
} from "@isthmus/findings";
import type { CurvatureHistory, CurvaturePoint, TrainingUnit } from "../track-curvature.ts";

const UNIT_TITLES: Readonly<Record<TrainingUnit, string>> = { epoch: "Epoch", step: "Step" };

/** Quantity that has a line in the figure. */
interface Line {
  readonly name: string;
  readonly title: string;
  readonly label: string;
  /** Whether the values are losses, which have a unit. */
  readonly isLoss?: boolean;
  readonly caption: string;
  readonly value: (point: CurvaturePoint) => number;
  /** Error of the value at a point. */
  readonly error?: (point: CurvaturePoint) => number;
}

const NUMBERS: readonly Line[] = [
  {
    name: "largest",
    title: "Largest eigenvalue of the Hessian",
    label: "Largest eigenvalue",
    caption: "how sharply the loss curves in the sharpest direction; bands reach as far as residuals.",
    value: ({ largest }) => largest.value,
    error: ({ largest }) => largest.residual,
  },
  {
    name: "trace",
    title: "Trace of the Hessian",
    label: "Trace",
    caption: "the sum of all eigenvalues; bands are one standard error.",
    value: ({ trace }) => trace,
    error: ({ traceError }) => traceError,
  },
  {
    name: "gradient",
    title: "Length of the gradient",
    label: "Length of the gradient",
    caption: "near 0 at a minimum.",
    value: ({ gradientNorm }) => gradientNorm,
  },
  {
    name: "loss",
    title: "Mean loss",
    label: "Loss",
    isLoss: true,
    caption: "on the same examples.",
    value: ({ loss }) => loss,
  },
];

/** Lists the numbers of a history, with the unit of its losses. */
function linesOf(result: CurvatureHistory): readonly Line[] {
  const losses = lossWords(result);
  return NUMBERS.map((line) => (line.isLoss === true ? { ...line, label: losses.axis(line.label) } : line));
}

/**
 * Says how the curvature of a loss changes along a training.
 * @throws UsageError if nothing was measured
 */
export function describeCurvatureHistory(result: CurvatureHistory): Report {
  const { points, unit } = result;
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) {
    throw new UsageError(
      "Cannot draw curvature along a training as there must be a point: none was measured; train with --measure curvature",
    );
  }
  const lines = linesOf(result);
  const summary = `From ${unit} ${first.at} to ${last.at}, the largest eigenvalue of the Hessian goes from ${formatNumber(first.largest.value)} to ${formatNumber(last.largest.value)}, its trace from ${formatNumber(first.trace)} to ${formatNumber(last.trace)}.`;
  return {
    subject: "curvature along a training",
    summary,
    tiles: lines.map(({ label, value }, style) => ({
      name: label.toLowerCase(),
      value: formatNumber(value(last)),
      unit: "",
      style,
      more: [`${formatNumber(value(first))} at ${unit} ${first.at}`],
    })),
    sections: [
      {
        name: "history",
        title: "Along the training",
        figures: lines.map((line, style) => lineFigure(result, line, style)),
        tables: [extremesTable(result), historyTable(result)],
      },
    ],
    facts: factsOf(result, [
      {
        name: "Measured",
        value: `every ${formatCounted(result.every, unit)}, the same examples each time`,
      },
    ]),
    shownTables: ["history"],
    data: result,
  };
}

function lineFigure({ points, unit, data, examples }: CurvatureHistory, line: Line, style: number): Figure {
  const { name, title, label, caption, value, error } = line;
  const words = points.map((point) => `${point.at}: ${formatNumber(value(point))}`);
  return {
    name,
    title: `${title}, ${unit} by ${unit}:`,
    caption: `${caption} Measured on ${dataWords(data, examples)}.`,
    words: `A line by ${unit}. ${words.join("; ")}.`,
    table: "history",
    size: "hero",
    plot: {
      kind: "lines",
      series: [
        {
          label,
          style,
          points: points.map((point) => {
            const [x, y, around] = [point.at, value(point), error?.(point)];
            const isKnown = around !== undefined && Number.isFinite(around);
            return isKnown ? { x, y, low: y - around, high: y + around } : { x, y };
          }),
        },
      ],
      x: { label: UNIT_TITLES[unit], whole: true },
      y: { label },
    },
  };
}

/** Says at which point each quantity was largest, and its values at the first and the last point. */
function extremesTable(result: CurvatureHistory): Table {
  const { points, unit } = result;
  const rows = linesOf(result).map(({ label, value }) => {
    const values = points.map(value);
    const most = Math.max(...values);
    const at = points[values.indexOf(most)]?.at ?? null;
    return { cells: [label, values[0] ?? null, values.at(-1) ?? null, most, at] };
  });
  return {
    name: "extremes",
    title: "At both ends, and at most",
    caption: `The ${unit} is the first one at which the number is largest.`,
    columns: [
      { title: "Number", kind: "text" },
      { title: "First", kind: "number" },
      { title: "Last", kind: "number" },
      { title: "Largest", kind: "number" },
      { title: `At ${unit}`, kind: "count" },
    ],
    rows,
    fixed: true,
  };
}

function historyTable({ points, unit }: CurvatureHistory): Table {
  return {
    name: "history",
    title: "Along the training",
    caption: "An eigenvalue is at most the residual away from the largest one that is listed.",
    columns: [
      { title: UNIT_TITLES[unit], kind: "count" },
      { title: "Loss", kind: "number" },
      { title: "Length of gradient", kind: "number" },
      { title: "Largest eigenvalue", kind: "number" },
      { title: "Residual", kind: "number" },
      { title: "Trace", kind: "number" },
      { title: "Standard error", kind: "number" },
    ],
    rows: points.map(({ at, loss, gradientNorm, largest, trace, traceError }) => ({
      cells: [at, loss, gradientNorm, largest.value, largest.residual, trace, traceError],
    })),
  };
}
