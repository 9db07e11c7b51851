import { formatCounted, formatMeasure, formatNumber } from "@isthmus/findings";
import type { DropoutStabilityResult } from "@isthmus/paths";
import { formatTable } from "./format-table.ts";

/** Formats the dropout stability of a network as text. */
export function formatDropoutStability(result: DropoutStabilityResult): string {
  const { network, loss, error, layers, examples, data, shares, left } = result;
  const lines = [
    `Dropout stability of ${network} in ${formatCounted(layers.length, "layer")}, on ${examples} examples of ${data}`,
    `loss ${formatNumber(loss)}, error ${formatMeasure(error, "error")} with all units`,
    ...Object.entries(left).map(([name, reason]) => `all units of ${name} stay: ${reason}`),
  ];
  const rows = shares.flatMap(({ share, rise, trials }) => [
    [
      `${Number((100 * share).toPrecision(3))} %`,
      formatNumber(rise.mean),
      formatNumber(rise.min),
      formatNumber(rise.max),
      String(trials.length),
    ],
  ]);
  const table = formatTable(
    [
      { title: "units that stay" },
      { title: "rise of the loss", align: "right" },
      { title: "lowest", align: "right" },
      { title: "highest", align: "right" },
      { title: "choices", align: "right" },
    ],
    rows,
  );
  return `${lines.join("\n")}\n\n${table}`;
}
