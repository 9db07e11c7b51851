import { formatMeasure, formatNumber } from "@isthmus/findings";
import { type PruneResult, type PruneRewinding, pruningStages } from "@isthmus/sparsity";
import { formatTable } from "./format-table.ts";

/** Formats how much of a network is pruned, and its losses, as text. */
export function formatPruning(result: PruneResult): string {
  const { network, elements, pruned, sparsity, layers, units = [], measures, rewinding } = result;
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
  const rounds = rewinding === undefined ? "" : `${formatRounds(rewinding)}\n\n`;
  if (measures === undefined) return `${lines.join("\n")}\n\n${rounds}${table}`;
  const losses = pruningStages(result).map(
    ([name, { loss, error }]) =>
      `${name}: loss ${formatNumber(loss)}, error ${formatMeasure(error, "error")}`,
  );
  return `${[...lines, ...losses].join("\n")}\n\n${rounds}${table}`;
}

function formatRounds({ rounds: all }: PruneRewinding): string {
  if (all.every(({ loss }) => loss === undefined)) {
    return `Rounds: ${all.map(({ sparsity }) => formatMeasure(sparsity, "error")).join(", ")} pruned`;
  }
  return formatMeasuredRounds(all);
}

function formatMeasuredRounds(rounds: PruneRewinding["rounds"]): string {
  const textOf = (value: number | undefined) => (value === undefined ? "" : formatNumber(value));
  return formatTable(
    [
      { title: "round", align: "right" },
      { title: "pruned", align: "right" },
      { title: "loss", align: "right" },
      { title: "error", align: "right" },
      { title: "barrier to the round before", align: "right" },
    ],
    rounds.map(({ sparsity, loss, error, barrier }, round) => [
      String(round),
      formatMeasure(sparsity, "error"),
      textOf(loss),
      error === undefined ? "" : formatMeasure(error, "error"),
      textOf(barrier),
    ]),
  );
}
