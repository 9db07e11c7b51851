import { formatMeasure, formatNumber } from "@isthmus/findings";
import { type MechanismsResult, summarizeMechanisms } from "@isthmus/mechanisms";
import { renderChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { MAX_CHART_WIDTH } from "./format-paths.ts";
import { formatTable } from "./format-table.ts";

/** Shows errors along a path on several data sets as a chart, and barriers in a table. */
export function formatMechanisms(result: MechanismsResult, terminal: Terminal): string {
  const { sets } = result;
  const chart = renderChart(
    sets.map(({ name, path }) => ({
      label: name,
      points: path.points.map(({ t, error }) => [t, 100 * error] as const),
    })),
    {
      width: Math.min(terminal.columns, MAX_CHART_WIDTH),
      charset: terminal.unicode ? "braille" : "ascii",
      color: terminal.color,
      yLabel: "error (%)",
      xLabel: `from A (t = 0) to B (t = 1), along: ${result.path}`,
    },
  );
  const right = (title: string) => ({ title, align: "right" as const });
  const table = formatTable(
    [
      { title: "data set" },
      ...["error at A", "at B", "barrier", "barrier of the loss"].map(right),
      { title: "connected" },
    ],
    sets.map(({ name, path, barrier, connected }) => [
      name,
      ...[path.points[0], path.points.at(-1)].map((point) =>
        formatMeasure(point?.error ?? Number.NaN, "error"),
      ),
      formatMeasure(barrier.error.chord, "error"),
      formatNumber(barrier.loss.chord),
      connected ? "yes" : "no",
    ]),
  );
  return `${chart}\n\n${table}\n\n${summarizeMechanisms(result).join("\n")}`;
}
