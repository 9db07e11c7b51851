import type { ComputedEigenvalue, CurvatureResult } from "@isthmus/curvature";
import { formatTable } from "./format-table.ts";

/** Formats the curvature of a network's loss as text. */
export function formatCurvature(result: CurvatureResult): string {
  const { operator, dimension, examples, data, loss, gradientNorm, eigenvalues, trace, reason } = result;
  const lines = [
    `Curvature (${operator}) of ${result.network} in ${dimension} parameters, on ${examples} examples of ${data}`,
    `loss ${short(loss)}, gradient ${short(gradientNorm)}`,
  ];
  if (reason !== undefined) lines.push(`by differences of gradients: ${reason}`);
  if (trace !== undefined) {
    const { products, samples } = trace;
    const error = samples === 0 ? "exactly" : `standard error ${short(trace.standardError)}`;
    lines.push(`trace ${short(trace.trace)} (${error}, ${products} products)`);
  }
  if (eigenvalues === undefined) return lines.join("\n");
  const { largest, smallest, converged, products } = eigenvalues;
  const rows = [
    ...largest.map((pair, i) => row(`largest ${i + 1}`, pair)),
    ...smallest.map((pair, i) => row(`smallest ${i + 1}`, pair)).toReversed(),
  ];
  const table = formatTable(
    [{ title: "eigenvalue" }, { title: "value", align: "right" }, { title: "residual", align: "right" }],
    rows,
  );
  const note = converged ? "" : `\n\nEigenvalues have not all converged after ${products} products.`;
  return `${lines.join("\n")}\n\n${table}${note}`;
}

const row = (name: string, { value, residual }: ComputedEigenvalue) => [name, short(value), short(residual)];

const short = (value: number): string => value.toPrecision(4);
