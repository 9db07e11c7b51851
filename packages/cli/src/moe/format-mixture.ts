import { formatShape } from "@isthmus/core";
import type { BuildMixtureResult, PlannedMixture } from "@isthmus/mixtures";
import type { TensorGroup } from "@isthmus/recipe";
import { formatBytes, formatPairs, formatTable } from "../format/format-table.ts";
import { plural } from "../format/plural.ts";

/** Formats the plan of a mixture: a line for all tensors of one place in layers that one model gives. */
export function formatMixturePlan(planned: PlannedMixture, groups: readonly TensorGroup[]): string {
  const rows = groups.map(({ pattern, count, dtype, shape, method, networks }) => [
    pattern,
    `${count}`,
    dtype,
    formatShape(shape),
    networks.join(", "),
    method ?? "copy",
  ]);
  const columns = [
    { title: "tensors" },
    { title: "number", align: "right" },
    { title: "type" },
    { title: "shape" },
    { title: "from" },
    { title: "made by" },
  ] as const;
  return [formatTable(columns, rows), "", formatPairs(describeMixture(planned))].join("\n");
}

/** Formats the outcome of a mixture that was written. */
export function formatMixture(result: BuildMixtureResult): string {
  const { output, modelFiles } = result;
  const { seconds, peakBytes, resumedBytes, files } = output;
  const parts = files.length > 1 ? ` in ${files.length} files` : "";
  const resumed = resumedBytes === 0 ? "" : `; ${formatBytes(resumedBytes)} were finished before`;
  return formatPairs([
    ...describeMixture(result),
    ["wrote", `${output.path}, ${formatBytes(output.bytes)}${parts}`],
    ["beside them", modelFiles.join(", ")],
    ["took", `${seconds.toFixed(1)} s and ${formatBytes(peakBytes)} of memory${resumed}`],
  ]);
}

function describeMixture(planned: PlannedMixture): [string, string][] {
  const { layout, gateMode, experts, active, shared, layers, tensors } = planned;
  const beside = shared ? " and a shared one" : "";
  return [
    ["layout", layout],
    ["experts", `${experts}${beside} in ${plural(layers, "layer", "layers")}, ${active} for each token`],
    ["gates", gateMode],
    [
      "bytes",
      `${formatBytes(planned.bytesRead)} of models, ${formatBytes(planned.bytesWritten)} of the result, ${plural(tensors, "tensor", "tensors")}`,
    ],
  ];
}
