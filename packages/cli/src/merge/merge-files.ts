import { at, type Checkpoint, convertCheckpoint, noteTwice, withCheckpoints } from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import { copyModelFiles, describeGgufOrigin, type MergeFinding, placeWeights } from "@isthmus/recipe";
import {
  type CorrectStatisticsOptions,
  chooseStatistics,
  correctStatistics,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { assertArchitecture } from "@isthmus/zoo";
import { proofScope } from "../format/format-proof.ts";
import { assertLayersResult, openLayerShares } from "../options/layer-shares.ts";
import { quantizingOf } from "../options/quantizing-of.ts";
import type { Context, Outcome } from "../verb.ts";
import { alignNetworks } from "./align-networks.ts";
import { checkAndNote } from "./check-networks.ts";
import {
  describeMerge,
  describeStatistics,
  formatMerge,
  type MergeAlignment,
  type Shares,
} from "./describe-merge.ts";
import {
  assertFormat,
  assertMergeOptions,
  assertMergePlace,
  floatTypeOf,
  type MergeOptions,
  noteOnGguf,
  outputOf,
  tooFew,
} from "./merge-options.ts";
import { mergeUnread } from "./merge-unread.ts";
import { type OpenedNetworks, openNetworks } from "./open-networks.ts";
import { planCombination } from "./plan-combination.ts";
import { type BarrierGate, formatBarrierGate, requireBarrier } from "./require-barrier.ts";
import { formatScores, scoreMerge } from "./score-merge.ts";

/** Merges checkpoints of one architecture, aligned to each other first if the options ask for it. */
export async function mergeFiles(
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<Outcome> {
  if (options.layersFrom !== undefined) await assertLayersResult(options.layersFrom);
  assertMergeOptions(paths, options);
  const path = await outputOf(options);
  noteTwice(paths, context.terminal.note);
  if (options.align) await assertArchitecture("merge with --align", paths, options);
  if (options.requireBarrier !== undefined)
    await assertArchitecture("merge with --require-barrier", paths, options);
  await assertMergePlace(path, paths);
  const weights = options.weights ?? paths.map(() => 1 / paths.length);
  const layers = await openLayerShares(options, { paths, align: options.align });
  const shares = { weights, layers, path: options.path };
  return withCheckpoints(paths, async (checkpoints) => {
    const isGguf = assertFormat(path, checkpoints);
    const prepared = await prepareNetworks({ checkpoints, paths, shares }, options, context);
    const { opened, alignments, networks, gate, findings } = prepared;
    if (gate?.failure !== undefined) {
      return { result: { gate, findings }, text: formatBarrierGate(gate), failure: gate.failure };
    }
    const combined = mergeByPlan(planCombination(networks, shares));
    const statistics = policyOf(opened, options);
    const merged = await correct(combined, { networks, weights, statistics }, opened, context);
    const unread = mergeUnread(checkpoints, opened.architecture?.binding.kept ?? [], shares);
    const note = describeStatistics(opened, statistics, options);
    if (note !== undefined) context.terminal.note(note);
    const told = describeMerge(checkpoints, { weights, layers }, { ...options, statistics }, context);
    const metadata = describeGgufOrigin(told, checkpoints);
    noteOnGguf(path, metadata, context.terminal.note);
    const place = await placeWeights(path, checkpoints);
    const output = await convertCheckpoint(unread.complete(opened.restore(merged)), place, {
      format: isGguf ? "gguf" : "safetensors",
      ...savingOf(options, context),
      ...(await quantizingOf(options, context)),
      metadata,
    });
    const copied = await copyModelFiles(at(paths, 0, "checkpoint"), path, {
      dtype: floatTypeOf(options),
      onNote: context.terminal.note,
    });
    const { architecture } = opened;
    const scored = { networks: opened.networks, paths, shares, merged };
    const scores = await scoreMerge(scored, opened, context);
    const scoreText = scores ? `\n\n${formatScores(scores, { options, statistics, architecture })}` : "";
    const scope = proofScope(options, architecture?.binding);
    return {
      result: {
        output,
        copied,
        path: options.path,
        dtype: options.dtype ?? null,
        alignments,
        ...(layers === undefined ? { weights } : { layers: Object.fromEntries(layers.shares) }),
        statistics,
        ...(options.check && { findings }),
        ...(gate && { gate }),
        ...(architecture && { binding: architecture.binding }),
        scores,
      },
      text:
        formatMerge(output, { weights, layers }, alignments, { ...scope, carried: unread.words }) + scoreText,
    };
  });
}

/** Returns the options of the library for writing the merged network. */
function savingOf(
  { dtype, allowNonFinite, maxShardSize = Number.POSITIVE_INFINITY }: MergeOptions,
  { signal, progress }: Context,
) {
  return {
    dtype,
    allowNonFinite: allowNonFinite ?? false,
    maxShardBytes: maxShardSize,
    overwrite: true,
    signal,
    onProgress: ({ done }: { readonly done: number }) => progress("Writing", done),
  };
}

/**
 * Networks that are ready to be merged: opened, checked, aligned and measured between, as the options ask.
 */
interface PreparedNetworks {
  readonly opened: OpenedNetworks;
  /** Networks to merge. */
  readonly networks: readonly Checkpoint[];
  /** Summaries of their alignments; empty if they were not aligned. */
  readonly alignments: readonly MergeAlignment[];
  readonly gate: BarrierGate | undefined;
  readonly findings: readonly MergeFinding[];
}

/** Checkpoints, their paths, and the share of each in the result. */
interface MergeRequest {
  readonly checkpoints: readonly Checkpoint[];
  readonly paths: readonly string[];
  readonly shares: Shares & Pick<MergeOptions, "path">;
}

async function prepareNetworks(
  { checkpoints, paths, shares }: MergeRequest,
  options: MergeOptions,
  context: Context,
): Promise<PreparedNetworks> {
  const opened = await openNetworks(checkpoints, paths, options, context);
  const plan = planCombination(opened.networks, shares);
  const findings = await checkAndNote(plan, paths, options, context);
  if (opened.networks.length < 2) throw tooFew(paths);
  const { networks, alignments } = await alignNetworks(opened, paths, options, context);
  const gate = await requireBarrier(networks, opened, options, context);
  return { opened, alignments, networks, gate, findings };
}

/**
 * Corrects the statistics of activations of the merged network, if there are a graph and data to run it on.
 */
async function correct(
  merged: Checkpoint,
  options: CorrectStatisticsOptions,
  { architecture, data }: OpenedNetworks,
  { progress, signal }: Context,
): Promise<Checkpoint> {
  const { statistics } = options;
  if (statistics === "keep" || architecture === undefined || data === undefined) return merged;
  progress(statistics === "recalibrate" ? "Recalibrating batch norms" : "Repairing");
  return correctStatistics(architecture, merged, data, { ...options, signal });
}

/**
 * Chooses the policy for statistics that the options name; without one, batch norms are measured anew if
 * there are data to do so.
 */
function policyOf({ architecture, data }: OpenedNetworks, options: MergeOptions): StatisticsPolicy {
  if (options.statistics !== undefined) return options.statistics;
  if (architecture === undefined || data === undefined) return "keep";
  return chooseStatistics(architecture.graph, "auto", { data }).statistics;
}
