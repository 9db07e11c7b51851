import { countInside, type Front, type ParetoResult } from "@isthmus/ensemble";
import { formatNumber, formatShort } from "@isthmus/findings";
import { formatAccuracy } from "../training/format-training.ts";
import { formatPairs, formatTable } from "./format-table.ts";

/** Formats fronts of networks for several tasks as text. */
export function formatPareto({
  tasks,
  manifold,
  scalarised,
  together,
  reference,
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
      ...fronts.map(([name, front]) => [`hypervolume, ${name}`, volumeWords(front, reference)] as const),
      ...(together === undefined ? [] : [["hypervolume, together", formatNumber(together)] as const]),
      ["up to losses of", `${reference.map((loss) => formatNumber(loss)).join(", ")}, as of a guess`],
      ["trained on", trainedOn],
      ["measured on", `${data}, ${examples.toLocaleString("en-US")} examples`],
    ]),
  ].join("\n\n");
}

function volumeWords(front: Front, reference: readonly number[]): string {
  const inside = countInside(front, reference);
  const of = `of ${inside} of ${front.points.length} networks, better than a guess at every task`;
  const volume =
    inside === 0
      ? "none: no network is better than a guess at every task"
      : `${formatNumber(front.hypervolume)} ${of}`;
  return `${volume}; after ${front.steps} steps`;
}
