import { formatMeasure, formatNumber } from "@isthmus/report";
import type { PruneResult } from "@isthmus/sparsity";
import { formatTable } from "./format-table.ts";

/** Formats how much of a network is pruned, and its losses, as text. */
export function formatPruning(result: PruneResult): string {
  const { network, elements, pruned, sparsity, layers, units = [], measures } = result;
  const count = (number: number) => number.toLocaleString("en-US");
  const table = formatTable(
    [
      { title: "weight" },
      { title: "elements", align: "right" },
      { title: "pruned", align: "right" },
      { title: "share", align: "right" },
    ],
    layers.map((layer) => [
      layer.name,
      count(layer.elements),
      count(layer.pruned),
      formatMeasure(layer.sparsity, "error"),
    ]),
  );
  const lines = [
    `Pruned ${count(pruned)} of ${count(elements)} weights of ${network}, ${formatMeasure(sparsity, "error")}`,
    ...units.map((layer) => `${layer.name}: ${layer.pruned} of ${layer.units} units are taken out`),
  ];
  if (measures === undefined) return `${lines.join("\n")}\n\n${table}`;
  const rows = [
    ["before", measures.before],
    ["after", measures.after],
    ["trained on", measures.tuned],
  ] as const;
  const losses = rows.flatMap(([name, measured]) =>
    measured === undefined
      ? []
      : [`${name}: loss ${formatNumber(measured.loss)}, error ${formatMeasure(measured.error, "error")}`],
  );
  return `${[...lines, ...losses].join("\n")}\n\n${table}`;
}
