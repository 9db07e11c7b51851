import type {
  TaskMeasure,
  TransferAcrossWidthsSummary,
  TransferTaskResult,
  TriedScale,
} from "@isthmus/fusion";
import { formatNormalization } from "./format-normalization.ts";
import { describeObjective } from "./format-objective.ts";
import { formatProof, type ProofScope } from "./format-proof.ts";
import { formatPairs, formatTable } from "./format-table.ts";

type Summary = TransferTaskResult["summary"];

/** Number of tensors that are listed, the ones that fine-tuning changed most. */
const LISTED = 8;

/**
 * Formats the result of a transfer: the largest changes, the scales that were tried, and the summary.
 * @param outputs - files that were written
 */
export function formatTransfer(summary: Summary, scope: ProofScope, outputs: readonly string[]): string {
  const { alignment, tunedError, scale, task } = summary;
  const errors = [alignment?.verified.maxRelativeError, tunedError].filter((error) => error !== undefined);
  const verified: [string, string][] = [
    ["verified", formatProof("base A and tuned A compute", Math.max(...errors), scope)],
  ];
  const pairs = formatPairs([
    ["task vector", describeTask(task)],
    ["alignment", describeAlignment(alignment)],
    ...(alignment === undefined ? [] : [...formatNormalization(alignment.normalized), ...verified]),
    ["scale", String(scale)],
    ["wrote", outputs.join(", ")],
  ]);
  return [formatTensors(summary), formatTried(summary), pairs].filter((part) => part !== "").join("\n\n");
}

function describeAlignment(alignment: Summary["alignment"]): string {
  if (alignment === undefined) return "none, as --no-align says";
  return `base A to base B by ${alignment.method}, ${describeObjective(alignment)}`;
}

/**
 * Formats the result of a transfer to another width: the maps, the scales that were tried, and the summary.
 * @param outputs - files that were written
 */
export function formatTransferAcross(
  summary: TransferAcrossWidthsSummary,
  outputs: readonly string[],
): string {
  const { task, scale, maps, error, units, left } = summary;
  const mask =
    task.kept === null || task.kept === 1 ? "" : `, of which the mask keeps ${share(task.kept)} (squared)`;
  const of = task.relative === null ? "" : `, ${share(task.relative)} of the weights`;
  const carried = task.carried === null ? "" : `; ${task.carried.toFixed(2)} times as long at the width of B`;
  const pairs = formatPairs([
    ["task vector", `norm ${task.norm.toPrecision(4)}${of}${carried}${mask}`],
    ["maps", `by ${maps}`],
    ["base A at B's width", `outputs differ by ${error.toExponential(1)} of the largest`],
    ...(left.length === 0 ? [] : [["left", `${left.join(", ")}: nothing is added to them`] as const]),
    ["scale", String(scale)],
    ["wrote", outputs.join(", ")],
  ]);
  return [formatUnitMaps(units), formatTried(summary), pairs].filter((part) => part !== "").join("\n\n");
}

/** Formats the maps of units to another width. */
export function formatUnitMaps(units: TransferAcrossWidthsSummary["units"]): string {
  return formatTable(
    [
      { title: "symmetry" },
      { title: "units of A", align: "right" },
      { title: "of B", align: "right" },
      { title: "mapped" },
    ],
    units.map(({ name, kind, units: { source, target } }) => [
      ...[name, String(source), String(target)],
      MAPPED[kind],
    ]),
  );
}

const MAPPED = {
  units: "one to one",
  cell: "by a matrix in each head",
  stream: "by one matrix",
  "stream-keeping-ones": "by one matrix that keeps means",
} as const;

const share = (value: number | null): string => (value === null ? "" : `${(100 * value).toFixed(1)} %`);

function describeTask({ norm, relative, moved, kept }: TaskMeasure): string {
  const of = relative === null ? "" : `, ${share(relative)} of the weights`;
  const mask = kept === null || kept === 1 ? "" : `, of which the mask keeps ${share(kept)} (squared)`;
  return `norm ${norm.toPrecision(4)}${of}${moved === null ? "" : `; ${share(moved)} of it moved`}${mask}`;
}

function formatTensors({ tensors }: Summary): string {
  const largest = tensors
    .filter(({ norm }) => norm > 0)
    .toSorted((a, b) => b.norm - a.norm)
    .slice(0, LISTED);
  if (largest.length === 0) return "";
  return formatTable(
    [
      { title: "changed most" },
      { title: "norm of the change", align: "right" },
      { title: "of the weight", align: "right" },
      { title: "moved", align: "right" },
      { title: "kept", align: "right" },
    ],
    largest.map(({ name, norm, relative, moved, kept }) => [
      ...[name, norm.toPrecision(4), share(relative), share(moved), share(kept)],
    ]),
  );
}

function formatTried({
  tried,
  scale: chosen,
}: {
  readonly tried: readonly TriedScale[];
  readonly scale: number;
}): string {
  if (tried.length === 0) return "";
  return formatTable(
    [
      { title: "scale", align: "right" },
      { title: "loss", align: "right" },
      { title: "error", align: "right" },
      { title: "" },
    ],
    tried.map(({ scale, loss, error }) => [
      ...[String(scale), loss.toFixed(4), share(error)],
      [scale === 0 ? "base B alone" : "", scale === chosen ? "taken" : ""]
        .filter((note) => note !== "")
        .join(", "),
    ]),
  );
}
