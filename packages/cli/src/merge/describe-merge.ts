import {
  at,
  type Checkpoint,
  describeMaking,
  type SaveCheckpointResult,
  sharedMetadata,
} from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { countBatchNorms, type StatisticsPolicy } from "@isthmus/statistics";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import { formatNormalization } from "../format/format-normalization.ts";
import { describeObjective, formatScaled } from "../format/format-objective.ts";
import type { ProofScope } from "../format/format-proof.ts";
import { formatBytes, formatPairs } from "../format/format-table.ts";
import type { LayerShares } from "../options/layer-shares.ts";
import type { Context } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { OpenedNetworks } from "./open-networks.ts";

/** Alignment of one of the checkpoints, as plain data. */
export type MergeAlignment = AlignedNetwork["summary"] & {
  /** Path of the aligned checkpoint. */
  readonly checkpoint: string;
  /** Objective of the search, in which norms scale weights; undefined for other methods. */
  readonly scaledObjective?: AlignedNetwork["summary"]["objective"];
  /**
   * Method that aligned several checkpoints, and below it the one whose coordinates they have; undefined for
   * two.
   */
  readonly many?: string;
  /** Path of the checkpoint whose coordinates the others have; undefined for two. */
  readonly reference?: string;
};

/** Share of each checkpoint in all layers of the result, or share of the second checkpoint in each layer. */
export interface Shares {
  /** Weight of each checkpoint in all layers, `[checkpoints]`. */
  readonly weights: readonly number[];
  /** Share of the second checkpoint in each layer; undefined if all layers are merged alike. */
  readonly layers: LayerShares | undefined;
}

/**
 * Describes how the statistics of batch norms were corrected, or warns of the accuracy that uncorrected ones
 * can cost; returns undefined if there are no batch norms, or if the user chose not to correct them.
 */
export function describeStatistics(
  { architecture, networks }: OpenedNetworks,
  statistics: StatisticsPolicy,
  { statistics: policy, data }: MergeOptions,
): string | undefined {
  const count =
    architecture === undefined
      ? countRunningStatistics([...(networks[0]?.tensors.keys() ?? [])])
      : countBatchNorms(architecture.graph);
  if (count === 0) return undefined;
  if (statistics !== "keep") {
    return `${countNorms(count)}: statistics were ${statistics === "recalibrate" ? "measured anew" : "repaired"} on ${data}; --statistics keep leaves them averaged.`;
  }
  if (policy === "keep") return undefined;
  return `${warnOfKept(count)}: measure them anew with --graph model.onnx and --data, ${EXAMPLES_ENOUGH}, as isthmus barrier does between two networks, or say --statistics keep.`;
}

/**
 * Warns of the accuracy that averaged statistics of batch norms can cost, if a recipe averages any; returns
 * undefined if not.
 */
export function describeRecipeStatistics({ tensors }: MergePlan, output: string): string | undefined {
  const averaged = [...tensors].filter(
    ([, { method, sources, base }]) =>
      method !== undefined && sources.length + (base === undefined ? 0 : 1) > 1,
  );
  const count = countRunningStatistics(averaged.map(([name]) => name));
  if (count === 0) return undefined;
  return `${warnOfKept(count)}: a recipe does not measure them; do so with ${EXAMPLES_ENOUGH}: isthmus merge ${output} ${output} --graph model.onnx --data, which merges the result with itself.`;
}

const EXAMPLES_ENOUGH = "some thousand of the examples they were trained on";

const countNorms = (count: number): string => (count === 1 ? "1 batch norm" : `${count} batch norms`);

function warnOfKept(count: number): string {
  return `${countNorms(count)}: their statistics are averaged as they are, which can cost most of the accuracy (29 % errors where 11 % are possible, on a small network for Fashion-MNIST)`;
}

/** Counts the batch norms of networks without a graph, by the names of their statistics. */
function countRunningStatistics(names: readonly string[]): number {
  return names.filter((name) => /(^|[./])(running_var|moving_variance)$/.test(name)).length;
}

/** Returns the metadata of the result, which describe its origin. */
export function describeMerge(
  inputs: readonly Checkpoint[],
  { weights, layers }: Shares,
  {
    path,
    align,
    method,
    seed,
    restarts,
    statistics,
    data,
    ...options
  }: MergeOptions & {
    readonly statistics: StatisticsPolicy;
  },
  { maker }: Context,
): Record<string, string> {
  const { search: strategy, only, skip, normalize, outputs, many, reference } = options;
  const search = align
    ? { align: { method, seed, restarts, search: strategy, only, skip, normalize, outputs, many, reference } }
    : {};
  const correction = statistics === "keep" ? {} : { statistics, data };
  const shares = layers === undefined ? { weights } : { layers: Object.fromEntries(layers.shares) };
  const making = { verb: "merge", ...maker, ...shares, path, ...search, ...correction };
  return { ...sharedMetadata(at(inputs, 0, "checkpoint")), ...describeMaking(inputs, making) };
}

export function formatMerge(
  output: SaveCheckpointResult,
  { weights, layers }: Shares,
  alignments: readonly MergeAlignment[],
  { counted, unchecked, carried }: ProofScope & { readonly carried?: string | undefined },
): string {
  const pairs = alignments.flatMap(({ scaledObjective, many, ...alignment }): [string, string][] => [
    [
      `aligned ${alignment.checkpoint}`,
      `${describeObjective(alignment)}${many ? `, by ${many}` : ""}; verified${counted === "" ? "" : ` for${counted}`}${unchecked}`,
    ],
    ...(scaledObjective === undefined ? [] : formatScaled(alignment.objective, scaledObjective)),
    ...formatNormalization(alignment.normalized),
  ]);
  const shares =
    layers === undefined
      ? `weights ${weights.map((weight) => Number(weight.toPrecision(4))).join(", ")}`
      : `of the second ${layers.description}`;
  return formatPairs([
    ...pairs,
    ["merged", `${weights.length} checkpoints, ${shares}`],
    ...(carried === undefined ? [] : [["not read", carried] as [string, string]]),
    [
      "wrote",
      `${output.path}, ${formatBytes(output.bytes)}${output.files.length > 1 ? ` in ${output.files.length} files` : ""}`,
    ],
  ]);
}
