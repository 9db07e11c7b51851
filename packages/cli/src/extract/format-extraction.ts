import { type Checkpoint, sizeOf, sumOf } from "@isthmus/core";
import type { ExtractedModule, ExtractionEstimate, Residual, SaveExtractedResult } from "@isthmus/merging";
import { formatBytes, formatPairs, formatTable } from "../format/format-table.ts";
import { plural } from "../format/plural.ts";

/** Number of modules that are listed. */
const LISTED = 10;

/** Formats the outcome of an extraction: the modules of which most is left, and the sums. */
export function formatExtraction(result: SaveExtractedResult): string {
  const { modules, total, savedModules, whole, unchanged, dropped, output } = result;
  const measured = modules.filter(
    (module): module is ExtractedModule & Residual => module.residual !== undefined,
  );
  const worst = [...measured].sort((a, b) => b.residual - a.residual).slice(0, LISTED);
  const table = formatTable(
    [
      { title: "module" },
      { title: "rank", align: "right" },
      { title: "change", align: "right" },
      { title: "left", align: "right" },
      { title: "of it", align: "right" },
      { title: "least", align: "right" },
    ],
    worst.map(({ name, rank, ...residual }) => [name, String(rank), ...formatResidual(residual)]),
  );
  const more =
    measured.length > worst.length ? `, the ${worst.length} of ${measured.length} with most left` : "";
  const pairs = formatPairs([
    ["factors", `${plural(modules.length, "module", "modules")} ${describeRanks(modules)}`],
    ...(total === null ? [] : [["left", describeTotal(total)] as const]),
    ["whole", describeWhole(whole, savedModules)],
    ["unchanged", `${plural(unchanged, "tensor", "tensors")} left out`],
    ...(dropped.length === 0
      ? []
      : [["no room", `${plural(dropped.length, "module", "modules")} of least change`] as const]),
    ["wrote", `${output.path}, ${formatBytes(output.bytes)}`],
    ["took", `${output.seconds.toFixed(1)} s and ${formatBytes(output.peakBytes)} of memory`],
  ]);
  return worst.length === 0
    ? pairs
    : `What the factors leave of each difference (norms)${more}:\n${table}\n\n${pairs}`;
}

function formatResidual({ change, residual, best }: Residual): readonly string[] {
  return [
    change.toPrecision(4),
    residual.toPrecision(4),
    formatShare(residual / change),
    best === null ? "-" : best.toPrecision(4),
  ];
}

function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function describeTotal({ change, residual, best }: Residual): string {
  const least = best === null ? "" : `; the least possible with these ranks is ${best.toPrecision(5)}`;
  return `${residual.toPrecision(5)} of a change of ${change.toPrecision(5)} (${formatShare(residual / change)})${least}`;
}

function describeRanks(modules: readonly { readonly rank: number }[]): string {
  if (modules.length === 0) return "";
  const ranks = modules.map(({ rank }) => rank);
  const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
  if (least === most) return `of rank ${least}`;
  return `of ranks ${least} to ${most}, ${(sumOf(ranks) / ranks.length).toFixed(1)} on average`;
}

function describeWhole(whole: readonly string[], savedModules: readonly string[]): string {
  if (whole.length === 0) return "no tensor";
  const names = savedModules.slice(0, 4).join(", ");
  const more = savedModules.length > 4 ? ` and ${savedModules.length - 4} more` : "";
  return `${plural(whole.length, "tensor", "tensors")}${names === "" ? "" : `, modules ${names}${more}`}`;
}

/**
 * Formats what an extraction would do, from names and shapes alone.
 * @param bytes - most bytes of the adapter; undefined without a limit
 */
export function formatExtractionEstimate(
  estimate: ExtractionEstimate,
  [base, tuned]: readonly [Checkpoint, Checkpoint],
  bytes?: number,
): string {
  const { modules, whole, readBytes, writtenBytes, peakBytes, leastBytes } = estimate;
  const count = (name: string) => sizeOf(tuned.tensors.get(name)?.shape ?? []);
  return formatPairs([
    ["base", base.source],
    ["fine-tune", tuned.source],
    [
      "factors",
      `${plural(modules.length, "module", "modules")} ${describeRanks(modules)} at most, if they changed`,
    ],
    [
      "whole",
      `${plural(whole.length, "tensor", "tensors")}, ${sumOf(whole.map(count))} numbers, if they changed`,
    ],
    ["reads", formatBytes(readBytes)],
    ["writes", `at most ${formatBytes(writtenBytes)}`],
    ...(bytes === undefined || bytes >= leastBytes
      ? []
      : [["too little", `--bytes must be ${leastBytes} or more if every tensor changed`] as const]),
    ["memory", `at most ${formatBytes(peakBytes)}`],
  ]);
}

/** Formats which modules get factors, for `--explain`. */
export function formatModules({ modules, whole }: ExtractionEstimate): string {
  const rows = [
    ...modules.map(({ name, shape, rank }) => [name, shape.join(" x "), `factors of rank ${rank} at most`]),
    ...whole.map((name) => [name, "", "whole"]),
  ];
  return formatTable([{ title: "module" }, { title: "weight" }, { title: "stored" }], rows);
}
