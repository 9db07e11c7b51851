import type { MapResult } from "@isthmus/barrier";
import { formatMeasure, MEASURES, type Measure } from "@isthmus/findings";
import { renderMapChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";

/** Columns beyond which a chart only takes more room. */
const MAX_CHART_WIDTH = 100;

/** Shows a map of networks as shades and as points, and the losses of their means as a table. */
export function formatMap(result: MapResult, terminal: Terminal): string {
  const chart = renderMapChart(result, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    charset: terminal.unicode ? "braille" : "ascii",
  });
  const { networks, before, after } = result;
  // Some losses have no errors.
  const measures = MEASURES.filter((measure) => networks.some((network) => !Number.isNaN(network[measure])));
  const mean = (measure: Measure) =>
    networks.reduce((sum, network) => sum + network[measure], 0) / networks.length;
  const row = (name: string, values: Readonly<Record<Measure, number>>) => [
    name,
    ...measures.map((measure) => formatMeasure(values[measure], measure)),
  ];
  const table = formatTable(
    [{ title: "network" }, ...measures.map((title) => ({ title, align: "right" as const }))],
    [
      row("each alone, on average", { loss: mean("loss"), error: mean("error") }),
      row("their mean, as they are", before.mean),
      row("their mean, aligned", after.mean),
    ],
  );
  return `${chart}\n\n${table}`;
}
