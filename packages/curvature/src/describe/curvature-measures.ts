import {
  dataWords,
  type Figure,
  formatCount,
  formatCounted,
  formatNumber,
  formatShort,
  lossWords,
  type Section,
  sectionOfTable,
  type Table,
} from "@isthmus/findings";
import type { CurvatureMeasures, CurvatureResult } from "../curvature-result.ts";
import type { LearningCoefficientResult } from "../learning-coefficient.ts";
import type { SharpnessResult, SharpnessValues } from "../measure-sharpness.ts";
import { formsOf } from "./curvature-forms.ts";

/** Ways in which the loss may rise around a network. */
const RISES = [
  ["one step", ({ oneStep }: SharpnessValues) => oneStep],
  ["worst", ({ worst }: SharpnessValues) => worst],
  ["average", ({ average }: SharpnessValues) => average?.rise],
] as const;

/** Rise of the loss in the form in which a figure shows it. */
interface DrawnRise {
  readonly row: string;
  /** Name of the form of the network; empty if only one was measured. */
  readonly label: string;
  readonly series: number;
  readonly value: number;
  readonly error: number | undefined;
  /** Radius of the ball, or standard deviation of the noise. */
  readonly size: number | null;
}

/** Describes how far the loss rises around a network; returns no section if it was not measured. */
export function sharpnessSection(result: CurvatureResult): Section[] {
  const { sharpness } = result;
  if (sharpness === undefined) return [];
  const rises = risesOf(result);
  const figures = [sharpnessFigure(result, sharpness, rises)];
  return [{ name: "sharpness", title: "Sharpness", figures, tables: [sharpnessTable(rises)] }];
}

function risesOf(result: CurvatureResult): DrawnRise[] {
  return formsOf(result).flatMap(({ label, measures }, series) =>
    (["plain", "adaptive"] as const).flatMap((measure) =>
      RISES.flatMap(([way, read]) => {
        const values = measures.sharpness?.[measure];
        const value = values && read(values);
        if (values === undefined || value === undefined) return [];
        const error = way === "average" ? values.average?.standardError : undefined;
        const size = (way === "average" ? values.average?.deviation : values.radius) ?? null;
        return [{ row: `${measure}, ${way}`, label, series, value, error, size }];
      }),
    ),
  );
}

function sharpnessFigure(
  result: CurvatureResult,
  { steps, samples }: SharpnessResult,
  rises: readonly DrawnRise[],
): Figure {
  const losses = lossWords(result);
  const words = rises.map(({ row, label, value }) =>
    [row, label, formatNumber(value)].filter((word) => word !== "").join(" "),
  );
  return {
    name: "sharpness",
    title: "How far the loss rises nearby:",
    caption: `after one step along the gradient, at worst in ${formatCounted(steps, "step")} within the radius, and on average over ${formatCounted(samples, "Gaussian noise")}. Adaptive ones have every parameter in units of its size, and do not change where layers are scaled against each other; plain ones do. Measured on ${dataWords(result.data, result.examples)}.`,
    words: `Bars of the rise of the loss, ${losses.inUnit}. ${words.join("; ")}.`,
    table: "sharpness",
    size: "hero",
    plot: {
      kind: "bars",
      rows: [...new Set(rises.map(({ row }) => row))],
      series: formsOf(result).map(({ label }) => label),
      bars: rises.map(({ row, series, value, error }) => ({
        row,
        series,
        value,
        ...(error === undefined ? {} : { low: value - error, high: value + error }),
      })),
      axis: { label: losses.axis("Rise of the loss") },
    },
  };
}

function sharpnessTable(rises: readonly DrawnRise[]): Table {
  return {
    name: "sharpness",
    title: "Sharpness",
    caption: "The size is the radius of the ball, or the standard deviation of the noise.",
    columns: [
      { title: "Measure", kind: "text" },
      { title: "Network", kind: "text" },
      { title: "Size", kind: "number" },
      { title: "Rise", kind: "number" },
      { title: "Standard error", kind: "number" },
    ],
    rows: rises.map(({ row, label, size, value, error }) => ({
      cells: [row, label === "" ? "as trained" : label, size, value, error ?? null],
    })),
    fixed: true,
  };
}

/** An estimate of the learning coefficient, of the network or of its canonical form. */
interface NamedEstimate {
  readonly label: string;
  readonly estimate: LearningCoefficientResult;
}

/** Describes the estimate of the learning coefficient; returns no section if it was not measured. */
export function coefficientSection(result: CurvatureResult): Section[] {
  const { learningCoefficient: first } = result;
  if (first === undefined) return [];
  const forms = formsOf(result).flatMap(({ label, measures }) =>
    measures.learningCoefficient ? [{ label, estimate: measures.learningCoefficient }] : [],
  );
  return [
    {
      name: "learning-coefficient",
      title: "Local learning coefficient",
      figures: [coefficientFigure(forms, first, result)],
      tables: [coefficientTable(forms)],
    },
  ];
}

function coefficientFigure(
  forms: readonly NamedEstimate[],
  first: LearningCoefficientResult,
  { data, examples }: CurvatureResult,
): Figure {
  return {
    name: "learning-coefficient",
    title: "The estimate, step by step:",
    caption: `the mean of ${formatCounted(first.chains.length, "chain")} from the losses after each step alone. The estimate takes the last ${formatCount(first.draws)} steps; where the line still rises there, it is too small. Step ${formatShort(first.step)}, pull ${formatShort(first.localization)}, n times inverse temperature ${formatNumber(first.beta)}. Measured on ${dataWords(data, examples)}.`,
    words: `A line by step. ${forms.map(({ label, estimate }) => `The estimate${label === "" ? "" : ` ${label}`} is ${formatNumber(estimate.coefficient)}, with a standard error of ${formatNumber(estimate.standardError)}`).join(". ")}.`,
    table: "learning-coefficient",
    size: "hero",
    plot: {
      kind: "lines",
      series: forms.map(({ label, estimate }) => ({
        label: label === "" ? "mean of chains" : label,
        points: estimate.course.map((y, index) => ({ x: index + 1, y })),
      })),
      x: { label: "Step", whole: true },
      y: { label: "Learning coefficient" },
    },
  };
}

function coefficientTable(forms: readonly NamedEstimate[]): Table {
  return {
    name: "learning-coefficient",
    title: "Local learning coefficient",
    caption:
      "Standard errors are over chains. The drift is how much more the second half of the draws says than the first.",
    columns: [
      { title: "Network", kind: "text" },
      { title: "Estimate", kind: "number" },
      { title: "Standard error", kind: "number" },
      { title: "Drift", kind: "number" },
      { title: "Its standard error", kind: "number" },
    ],
    rows: forms.map(({ label, estimate }) => ({
      cells: [
        label === "" ? "as trained" : label,
        ...[estimate.coefficient, estimate.standardError],
        ...[estimate.drift.rise, estimate.drift.standardError],
      ],
    })),
    fixed: true,
  };
}

/** Numbers that are compared between a network and its canonical form. */
const COMPARED: readonly (readonly [name: string, (measures: CurvatureMeasures) => number | undefined])[] = [
  ["mean loss", ({ loss }) => loss],
  ["length of the gradient", ({ gradientNorm }) => gradientNorm],
  ["largest eigenvalue", ({ eigenvalues }) => eigenvalues?.largest[0]?.value],
  ["smallest eigenvalue", ({ eigenvalues }) => eigenvalues?.smallest[0]?.value],
  ["trace", ({ trace }) => trace?.trace],
  ["critical sharpness", ({ criticalSharpness }) => criticalSharpness?.sharpness],
  ["learning coefficient", ({ learningCoefficient }) => learningCoefficient?.coefficient],
];

/** Compares a network with its canonical form; returns no section if that was not measured. */
export function canonicalSection(result: CurvatureResult): Section[] {
  const { canonical } = result;
  if (canonical === undefined) return [];
  const rows = COMPARED.flatMap(([name, read]) => {
    const [before, after] = [read(result), read(canonical)];
    return before === undefined || after === undefined ? [] : [{ cells: [name, before, after] }];
  });
  return [
    sectionOfTable({
      name: "canonical",
      title: "Before and after canonicalising",
      caption:
        "The canonical form has scales, signs and rotations undone, and computes the same. Numbers that differ say more of scales than of the function.",
      columns: [
        { title: "Number", kind: "text" },
        { title: "As trained", kind: "number" },
        { title: "Canonical form", kind: "number" },
      ],
      rows,
      fixed: true,
    }),
  ];
}
