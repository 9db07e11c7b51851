import type { CurvatureHistory } from "@isthmus/curvature";
import { type Column, formatTable } from "./format-table.ts";

/** Formats the curvature along a training as text. */
export function formatCurvatureHistory({ points, examples, data }: CurvatureHistory): string {
  const columns = ["epoch", "loss", "gradient", "largest eigenvalue", "trace", "error"].map(
    (title): Column => ({ title, align: "right" }),
  );
  const rows = points.map(({ epoch, loss, gradientNorm, largest, trace, traceError }) => [
    String(epoch),
    ...[loss, gradientNorm, largest.value, trace, traceError].map((value) => value.toPrecision(4)),
  ]);
  return `Curvature along a training, on ${examples} examples of ${data}\n\n${formatTable(columns, rows)}`;
}
