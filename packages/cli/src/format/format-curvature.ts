import type {
  ComputedEigenvalue,
  CurvatureMeasures,
  CurvatureResult,
  LayerCurvature,
  SharpnessValues,
} from "@isthmus/curvature";
import type { Terminal } from "../terminal/terminal.ts";
import { formatBar } from "./format-bar.ts";
import { type Column, formatTable } from "./format-table.ts";

/** Cells of the longest bar. */
const BAR_WIDTH = 16;

/** Formats the curvature of a network's loss as text. */
export function formatCurvature(result: CurvatureResult, terminal: Terminal): string {
  const { operator, dimension, examples, data, reason, canonical } = result;
  const about = [
    `Curvature (${operator}) of ${result.network} in ${dimension} parameters, on ${examples} examples of ${data}`,
    ...(reason === undefined ? [] : [`by differences of gradients: ${reason}`]),
  ].join("\n");
  const parts = [`${about}\n${formatMeasures(result, terminal)}`];
  if (canonical !== undefined)
    parts.push(`In canonical form, which computes the same:\n${formatMeasures(canonical, terminal)}`);
  return parts.join("\n\n");
}

function formatMeasures(measures: CurvatureMeasures, terminal: Terminal): string {
  const parts = [
    formatLines(measures).join("\n"),
    formatEigenvalues(measures),
    formatLayerTable(measures.layers ?? [], terminal),
    formatSharpness(measures),
    formatSettling(measures),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function formatLines(measures: CurvatureMeasures): string[] {
  const { loss, gradientNorm, trace, criticalSharpness, learningCoefficient } = measures;
  const lines = [`loss ${short(loss)}, gradient ${short(gradientNorm)}`];
  if (trace !== undefined) {
    const { products, samples } = trace;
    const error = samples === 0 ? "exactly" : `standard error ${short(trace.standardError)}`;
    lines.push(`trace ${short(trace.trace)} (${error}, ${products} products)`);
  }
  if (criticalSharpness !== undefined) {
    const { sharpness, learningRate, passes } = criticalSharpness;
    const [low, high] = learningRate.map(short);
    lines.push(
      `critical sharpness ${short(sharpness)} (learning rate ${low} to ${high}, from ${passes} losses)`,
    );
  }
  if (learningCoefficient !== undefined) {
    const { coefficient, standardError, chains, draws, drift } = learningCoefficient;
    lines.push(
      `learning coefficient ${short(coefficient)} (standard error ${short(standardError)}, ${chains.length} chains of ${draws} draws)`,
    );
    if (Math.abs(drift.rise) > 3 * drift.standardError)
      lines.push(
        `  the second half of the draws says ${short(drift.rise)} more than the first: take a larger step, or more burn-in`,
      );
  }
  return lines;
}

function formatEigenvalues({ eigenvalues }: CurvatureMeasures): string {
  if (eigenvalues === undefined) return "";
  const { largest, smallest, converged, products } = eigenvalues;
  const rows = [
    ...largest.map((pair, i) => row(`largest ${i + 1}`, pair)),
    ...smallest.map((pair, i) => row(`smallest ${i + 1}`, pair)).toReversed(),
  ];
  const table = formatTable([{ title: "eigenvalue" }, ...["value", "residual"].map(alignedRight)], rows);
  const note = converged ? "" : `\n\nEigenvalues have not all converged after ${products} products.`;
  return `${table}${note}`;
}

function formatLayerTable(layers: readonly LayerCurvature[], { unicode }: Terminal): string {
  if (layers.length === 0) return "";
  const full = Math.max(...layers.map(({ trace, largest }) => trace?.trace ?? largest?.value ?? 0));
  const rows = layers.map(({ name, dimension, gradientNorm, largest, trace }) => [
    name,
    String(dimension),
    short(gradientNorm),
    largest === undefined ? "" : short(largest.value),
    trace === undefined ? "" : short(trace.trace),
    formatBar(trace?.trace ?? largest?.value ?? 0, { full, width: BAR_WIDTH, unicode }),
  ]);
  const columns = ["parameters", "gradient", "largest eigenvalue", "trace"].map(alignedRight);
  return formatTable([{ title: "layer" }, ...columns, { title: "" }], rows);
}

function formatSharpness({ sharpness }: CurvatureMeasures): string {
  if (sharpness === undefined) return "";
  const rows = (["plain", "adaptive"] as const).map((name) => sharpnessRow(name, sharpness[name]));
  const columns = ["radius", "one step", "worst", "deviation", "average", "error"].map(alignedRight);
  return formatTable([{ title: "sharpness" }, ...columns], rows);
}

function sharpnessRow(name: string, { radius, oneStep, worst, average }: SharpnessValues): string[] {
  const rise =
    average === undefined ? ["", "", ""] : [average.deviation, average.rise, average.standardError];
  return [
    name,
    short(radius),
    short(oneStep),
    worst === undefined ? "" : short(worst),
    ...rise.map((value) => (typeof value === "number" ? short(value) : value)),
  ];
}

function formatSettling({ settling }: CurvatureMeasures): string {
  if (settling === undefined) return "";
  const rows = settling.points.map(({ size, change, changeError, largest, trace }) => [
    String(size),
    ...[change, changeError, largest.value, trace].map(short),
  ]);
  const titles = ["examples", "change by one more", "error", "largest eigenvalue", "trace"];
  const { exponent } = settling;
  const note =
    exponent === undefined ? "" : `\n\nChanges fall like examples to the power of ${short(exponent)}.`;
  return `${formatTable(titles.map(alignedRight), rows)}${note}`;
}

const alignedRight = (title: string): Column => ({ title, align: "right" });

const row = (name: string, { value, residual }: ComputedEigenvalue) => [name, short(value), short(residual)];

const short = (value: number): string => value.toPrecision(4);
