import { existsSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  convertCheckpoint,
  expandPaths,
  noteTwice,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import {
  copyModelFiles,
  describeGgufOrigin,
  isRecipeFile,
  type MergeFinding,
  placeWeights,
} from "@isthmus/recipe";
import {
  type CorrectStatisticsOptions,
  chooseStatistics,
  correctStatistics,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { align, alignMany } from "@isthmus/weight-matching";
import { assertArchitecture } from "@isthmus/zoo";
import { proofScope } from "../format/format-proof.ts";
import { checkAndNote } from "../merge/check-networks.ts";
import {
  describeMerge,
  describeStatistics,
  formatMerge,
  type MergeAlignment,
  type Shares,
} from "../merge/describe-merge.ts";
import { areAdapters, mergeAdapterPaths } from "../merge/merge-adapters.ts";
import { mergeByBlocks } from "../merge/merge-by-blocks.ts";
import { isBaseWithAdapter, mergeIntoBase } from "../merge/merge-into-base.ts";
import {
  addMergeOptions,
  assertFormat,
  assertMergeOptions,
  assertMergePlace,
  floatTypeOf,
  type MergeOptions,
  noteOnGguf,
  outputOf,
  tooFew,
} from "../merge/merge-options.ts";
import { mergeRecipeFile } from "../merge/merge-recipe.ts";
import { mergeUnread } from "../merge/merge-unread.ts";
import { type OpenedNetworks, openNetworks } from "../merge/open-networks.ts";
import { planCombination } from "../merge/plan-combination.ts";
import { type BarrierGate, formatBarrierGate, requireBarrier } from "../merge/require-barrier.ts";
import { formatScores, scoreMerge } from "../merge/score-merge.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertLayersResult, openLayerShares } from "../options/layer-shares.ts";
import { alignsMany, manyMatchingOf } from "../options/many-options.ts";
import { matchingOf } from "../options/match-options.ts";
import { hintAtMethod } from "../options/option-needs.ts";
import { quantizingOf } from "../options/quantizing-of.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus merge`. */
export function mergeVerb(run: RunVerb): CommandUnknownOpts {
  return addMergeOptions(
    createVerb("merge", HELP_GROUPS.done).argument(
      "<checkpoints...>",
      "two or more checkpoints of one architecture, * and ? are wildcards for files; or one recipe in YAML; or base+adapter",
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action((paths, options, command) =>
      run(options, async (context) => {
        assertNoMethod(paths, command);
        const [path] = paths;
        if (paths.length === 1 && path !== undefined && isRecipeFile(path))
          return mergeRecipeFile(path, options, context);
        if (paths.length === 1 && path !== undefined && (await isBaseWithAdapter(path)))
          return mergeIntoBase(path, options, context);
        const expanded = await expandPaths(paths);
        if (options.blocks !== undefined) return mergeByBlocks(expanded, options, context);
        if (await areAdapters(expanded)) return mergeAdapterPaths(expanded, options, context);
        return mergeFiles(expanded, options, context);
      }),
    );
}

/**
 * Checks that no method of the alignment stands among the checkpoints, behind `--align`.
 * @throws UsageError if one does, and there is no such file
 */
function assertNoMethod(paths: readonly string[], command: CommandUnknownOpts): void {
  const method = paths.find((path) => hintAtMethod(command, ["--align", path]) !== "" && !existsSync(path));
  if (method === undefined || command.getOptionValue("align") !== true) return;
  throw new UsageError(
    `Cannot merge "${method}" as there is no such checkpoint: ${hintAtMethod(command, ["--align", method])}`,
  );
}

const EXAMPLES = formatExamples(
  ["isthmus merge a.safetensors b.safetensors -o merged.safetensors", "the mean of two checkpoints"],
  ["isthmus merge recipe.yml -o merged", "what a recipe describes; recipes of mergekit are read as they are"],
  ["isthmus merge a.gguf b.gguf -o merged.gguf", "with the architecture and tokenizer of the first"],
  [
    "isthmus merge a.gguf b.gguf -o merged.gguf --dtype q4_k_m --imatrix imatrix.gguf",
    "quantised as by llama.cpp",
  ],
  ["isthmus merge recipe.yml --dry-run", "what would be merged, copied, read and written"],
  [
    "isthmus merge recipe.yml --explain 'model.layers.3.*'",
    "which line of the recipe gives these tensors which values",
  ],
  [
    "isthmus merge recipe.yml -o merged --queue redis://queue.example --storage s3://bucket/isthmus",
    "workers make the pieces, on machines that share no disk: isthmus worker with the same two options",
  ],
  [
    "isthmus merge lora-a lora-b --combination svd --weights .7,.3 -o lora",
    "LoRA adapters with each other, into an adapter that PEFT loads",
  ],
  [
    "isthmus merge a.safetensors b.safetensors --align --graph model.onnx -o merged.safetensors",
    "align B to A first, for networks that were trained apart",
  ],
  ["isthmus merge llama-a llama-b --align -o merged", "model folders with config.json: no graph is needed"],
  [
    "isthmus merge a.pt b.pt --align --method activation --statistics repair --graph model.onnx --data mnist:train@10000 -o merged.safetensors",
    "align by activations, and correct statistics by REPAIR",
  ],
  [
    "isthmus merge a.pt b.pt --align --graph cnn.onnx --layers 'conv*=.5,fc=1' -o merged.safetensors",
    "average some layers, take others of B, keep the rest of A",
  ],
  [
    "isthmus merge a.pt b.pt --align --graph cnn.onnx --layers-from layers.json --max-barrier 0.02 -o merged.safetensors",
    "average the layers whose barrier isthmus layers found to be low",
  ],
  [
    "isthmus merge a.pt b.pt --graph model.onnx --data mnist:test --require-barrier 0.05 -o merged.safetensors",
    "merge only if the loss between them rises by 0.05 at most",
  ],
  [
    "isthmus merge 'runs/*.safetensors' --align --graph model.onnx --data mnist:train@5000 -o merged.safetensors",
    "any number, aligned to each other through one universe",
  ],
  ["isthmus merge base+lora -o merged", "an adapter into its model, which may be quantised to 4 bits"],
  [
    "isthmus merge a.pt b.pt c.pt --weights .5,.3,.2 --dtype bf16 --max-shard-size 5GB -o merged/",
    "three checkpoints, unequally, in shards",
  ],
);

async function mergeFiles(
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
  const { networks, alignments } = await alignAll(opened, paths, options, context);
  const gate = await requireBarrier(networks, opened, options, context);
  return { opened, alignments, networks, gate, findings };
}

/** Networks in the coordinates of one of them, and the alignments that put them there. */
interface AlignedForMerge {
  readonly networks: readonly Checkpoint[];
  readonly alignments: readonly MergeAlignment[];
}

/** Aligns the checkpoints to each other, if `--align` asks for it. */
async function alignAll(
  { architecture, data, networks }: OpenedNetworks,
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<AlignedForMerge> {
  if (!options.align || architecture === undefined) return { networks, alignments: [] };
  const following = followAlignment(options.method, context);
  if (alignsMany(paths, options) && options.method !== "straight-through" && options.method !== "learned") {
    const matching = manyMatchingOf(options, data, paths.length);
    const { aligned, match } = await alignMany(architecture, architecture.networks, {
      ...matching,
      ...following,
    });
    const many = { many: match.many, reference: at(paths, match.reference, "reference") };
    return {
      networks: aligned.map(({ network }) => network),
      alignments: aligned.flatMap(({ summary }, i) =>
        i === match.reference ? [] : [{ checkpoint: at(paths, i, "path"), ...many, ...summary }],
      ),
    };
  }
  const { aligned } = await align(architecture, architecture.networks, {
    ...matchingOf(options, data),
    ...following,
  });
  return {
    networks: [at(networks, 0, "network"), ...aligned.map(({ network }) => network)],
    alignments: aligned.map(({ summary }, i) => ({ checkpoint: at(paths, i + 1, "path"), ...summary })),
  };
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
