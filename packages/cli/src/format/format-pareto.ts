import type { ParetoResult } from "@isthmus/ensemble";
import { formatNumber, formatShort } from "@isthmus/report";
import { formatAccuracy } from "../training/format-training.ts";
import { formatPairs, formatTable } from "./format-table.ts";

/** Formats fronts of networks for several tasks as text. */
export function formatPareto({
  tasks,
  manifold,
  scalarised,
  data,
  examples,
  trainedOn,
}: ParetoResult): string {
  const fronts = [
    ["between", manifold] as const,
    ...(scalarised ? [["weighted sum", scalarised] as const] : []),
  ];
  const table = formatTable(
    [
      { title: "networks" },
      ...[
        ...tasks.map((task) => `share of ${task}`),
        ...tasks.flatMap((task) => [`loss of ${task}`, "accuracy"]),
      ].map((title) => ({ title, align: "right" as const })),
    ],
    fronts.flatMap(([name, { points }]) =>
      points.map(({ shares, losses, accuracies }) => [
        name,
        ...shares.map((share) => formatShort(share)),
        ...losses.flatMap((loss, i) => [formatNumber(loss), formatAccuracy(accuracies[i])]),
      ]),
    ),
  );
  return [
    table,
    formatPairs([
      ...fronts.map(
        ([name, { hypervolume, steps }]) =>
          [`hypervolume, ${name}`, `${formatNumber(hypervolume)}, after ${steps} steps`] as const,
      ),
      ["trained on", trainedOn],
      ["measured on", `${data}, ${examples.toLocaleString("en-US")} examples`],
    ]),
  ].join("\n\n");
}
