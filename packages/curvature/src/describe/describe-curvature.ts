import {
  factsOf,
  formatCount,
  formatCounted,
  formatNumber,
  formatShort,
  type PageFact,
  type Report,
  type Section,
  sectionOfTable,
  type Tile,
} from "@isthmus/findings";
import type { CurvatureResult } from "../curvature-result.ts";
import { layersSection } from "./curvature-layers.ts";
import { canonicalSection, coefficientSection, sharpnessSection } from "./curvature-measures.ts";
import {
  CURVATURE_STYLES,
  densitySection,
  eigenvaluesSection,
  OPERATOR_WORDS,
} from "./curvature-sections.ts";
import { settlingSection } from "./curvature-settling.ts";

/** Standard errors from which chains count as not settled. */
const DRIFT_ERRORS = 3;

/**
 * Says how the loss curves around a network.
 * @throws UsageError if there is a density without any value above 0
 */
export function describeCurvature(result: CurvatureResult): Report {
  return {
    subject: "curvature of a loss",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [
      ...densitySection(result),
      ...eigenvaluesSection(result),
      ...traceSection(result),
      ...layersSection(result),
      ...sharpnessSection(result),
      ...coefficientSection(result),
      ...settlingSection(result),
      ...canonicalSection(result),
    ],
    facts: [{ name: "Network", value: result.network }, ...factsOf(result, measuredFacts(result))],
    notes: notesOf(result),
    shownTables: ["eigenvalues", "layers", "sharpness", "learning-coefficient", "settling", "canonical"],
    data: result,
  };
}

function summarize({ operator, eigenvalues, trace, settling }: CurvatureResult): string {
  const [largest] = eigenvalues?.largest ?? [];
  const [smallest] = eigenvalues?.smallest ?? [];
  const matrix = `the ${OPERATOR_WORDS[operator]}`;
  const ends =
    largest && smallest
      ? `The largest eigenvalue of ${matrix} is ${formatNumber(largest.value)}, the smallest ${formatNumber(smallest.value)}.`
      : "";
  const sum = trace
    ? `The trace${ends === "" ? ` of ${matrix}` : ""} is ${formatNumber(trace.trace)}, ${errorWords(trace)}.`
    : "";
  const change =
    settling?.exponent === undefined || ends !== "" || sum !== ""
      ? ""
      : `One more example changes the loss like the number of examples to the power of ${formatNumber(settling.exponent)}.`;
  return [ends, sum, change].filter((sentence) => sentence !== "").join(" ");
}

/** Says how far from the true trace an estimate may be. */
function errorWords({ standardError, samples }: NonNullable<CurvatureResult["trace"]>): string {
  if (samples === 0) return "summed up exactly";
  if (!Number.isFinite(standardError)) return "of an unknown standard error";
  return `with a standard error of ${formatNumber(standardError)}`;
}

function tilesOf(result: CurvatureResult): Tile[] {
  const { eigenvalues, trace, closedForm, loss, gradientNorm, criticalSharpness, learningCoefficient } =
    result;
  const ends = (["largest", "smallest"] as const).flatMap((end) => {
    const first = eigenvalues?.[end][0];
    if (!first) return [];
    const more = [`residual ${formatNumber(first.residual)}`];
    const style = CURVATURE_STYLES[end];
    return [{ name: `${end} eigenvalue`, value: formatNumber(first.value), unit: "", more, style }];
  });
  const sum = trace && {
    name: "trace",
    value: formatNumber(trace.trace),
    unit: "",
    more: [errorWords(trace), formatCounted(trace.products, "product")],
  };
  const more = [`length of its gradient ${formatNumber(gradientNorm)}`];
  const critical = criticalSharpness && {
    name: "critical sharpness",
    value: formatNumber(criticalSharpness.sharpness),
    unit: "",
    more: [`from ${formatCounted(criticalSharpness.passes, "loss", "losses")}`],
  };
  const coefficient = learningCoefficient && {
    name: "learning coefficient",
    value: formatNumber(learningCoefficient.coefficient),
    unit: "",
    more: [
      `standard error ${formatNumber(learningCoefficient.standardError)}`,
      formatCounted(learningCoefficient.chains.length, "chain"),
    ],
  };
  const closed = closedForm && {
    name: "Frobenius norm",
    value: formatNumber(closedForm.frobeniusNorm),
    unit: "",
    more: [
      // The determinant is 0 if its logarithm is null.
      `log-determinant ${formatNumber(closedForm.logDeterminant ?? Number.NEGATIVE_INFINITY)} with ${formatNumber(closedForm.damping)} added to eigenvalues`,
    ],
  };
  const further = [sum, closed, critical, coefficient].flatMap((tile) => (tile ? [tile] : []));
  return [...ends, ...further, { name: "mean loss", value: formatNumber(loss), unit: "", more }];
}

function measuredFacts(result: CurvatureResult): PageFact[] {
  const { operator, dimension, parameters, derivatives, eigenvalues, trace, density } = result;
  const products =
    derivatives === "exact" ? "exact" : `by differences of gradients${stepWords(result, ", ")}`;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Matrix", OPERATOR_WORDS[operator]],
    ["Size", `${formatCounted(dimension, "parameter")} of ${formatCounted(parameters.length, "tensor")}`],
    ["Products", products],
    ["Mean loss", formatNumber(result.loss)],
    ["Length of the gradient", formatNumber(result.gradientNorm)],
    [
      "Eigenvalues",
      eigenvalues &&
        `from ${formatCounted(eigenvalues.products, "product")}, tolerance ${formatShort(eigenvalues.tolerance)}`,
    ],
    ["Trace", trace && `${formatNumber(trace.trace)}, ${errorWords(trace)}`],
    [
      "Density",
      density &&
        `from ${formatCounted(density.runs, "random vector")}, ${formatCount(density.steps)} products each`,
    ],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function stepWords({ step }: CurvatureResult, before: string): string {
  return step === undefined ? "" : `${before}${formatShort(step)} to either side`;
}

function notesOf(result: CurvatureResult): string[] {
  const { derivatives, reason, eigenvalues, trace, density, layers, examples } = result;
  const notes: string[] = [];
  if (derivatives === "finite-differences") {
    const why = reason === undefined ? "as asked for" : `as exact ones cannot be had: ${reason}`;
    notes.push(
      `Products with the ${OPERATOR_WORDS[result.operator]} are differences of gradients${stepWords(result, " ")}, ${why}.`,
    );
  }
  if (eigenvalues && !eigenvalues.converged) {
    const residuals = [...eigenvalues.largest, ...eigenvalues.smallest].map(({ residual }) => residual);
    notes.push(
      `Eigenvalues have not all converged after ${formatCounted(eigenvalues.products, "product")}: true ones are within the residual of each, which is up to ${formatNumber(Math.max(0, ...residuals))}. --steps allows more products.`,
    );
  }
  if (trace && !trace.converged) {
    const { products, samples } = trace;
    notes.push(
      `The trace has not reached the precision asked for after ${formatCounted(products, "product")}: it is estimated from ${formatCounted(samples, "random vector")}, ${errorWords(trace)}. --trace-products allows more products.`,
    );
  }
  if (eigenvalues && trace && !density && !layers) {
    notes.push(
      `A quick look on ${formatCounted(examples, "example")}: --examples measures on more of them, --count more eigenvalues, --runs the density of all, --by layer every layer.`,
    );
  }
  const drift = result.learningCoefficient?.drift;
  if (drift && Math.abs(drift.rise) > DRIFT_ERRORS * drift.standardError) {
    notes.push(
      `The chains of the learning coefficient have not settled: the second half of the draws says ${formatNumber(drift.rise)} more than the first. Take a larger step, or more burn-in.`,
    );
  }
  return notes;
}

function traceSection({ trace }: CurvatureResult): Section[] {
  if (trace === undefined) return [];
  return [
    sectionOfTable({
      name: "trace",
      title: "The trace",
      caption:
        "Sum of all eigenvalues. The standard error comes from so many random vectors; of none, the trace is exact.",
      columns: [
        { title: "Trace", kind: "number" },
        { title: "Standard error", kind: "number" },
        { title: "Random vectors", kind: "count" },
        { title: "Products", kind: "count" },
        { title: "Converged", kind: "text" },
      ],
      rows: [
        {
          cells: [
            ...[trace.trace, trace.standardError, trace.samples, trace.products],
            trace.converged ? "yes" : "no",
          ],
        },
      ],
      fixed: true,
    }),
  ];
}
