import type { PlaneResult } from "@isthmus/barrier";
import { formatMeasure, formatNumber } from "@isthmus/findings";
import { renderPlaneChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";

/** Columns beyond which a map only takes more room. */
const MAX_MAP_WIDTH = 72;

/** Shows a plane as a map of the loss, and its networks as a table. */
export function formatPlane(result: PlaneResult, terminal: Terminal): string {
  const map = renderPlaneChart(result, {
    width: Math.min(terminal.columns, MAX_MAP_WIDTH),
    charset: terminal.unicode ? "braille" : "ascii",
  });
  const right = (title: string) => ({ title, align: "right" as const });
  const table = formatTable(
    [{ title: "network" }, right("x"), right("y"), right("off the plane"), right("loss"), right("error")],
    result.models.map(({ label, x, y, distance, loss, error }) => [
      label,
      ...[x, y, distance].map(formatNumber),
      formatMeasure(loss, "loss"),
      formatMeasure(error, "error"),
    ]),
  );
  return `${map}\n\n${table}`;
}
