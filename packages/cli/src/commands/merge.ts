import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  DTYPES,
  type DType,
  describeMaking,
  type SaveCheckpointResult,
  saveCheckpoint,
  sharedMetadata,
  UsageError,
} from "@isthmus/core";
import { type BoundArchitecture, type DataSet, withNamesOf } from "@isthmus/graph";
import { normalizeWeights, PATH_KINDS, type PathKind } from "@isthmus/interpolation";
import { byLayer, linear, merge, slerp } from "@isthmus/merging";
import {
  type CorrectStatisticsOptions,
  correctStatistics,
  countBatchNorms,
  STATISTICS_POLICIES,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { type AlignedNetwork, align } from "@isthmus/weight-matching";
import {
  assertArchitecture,
  assertNoModelFolder,
  copyModelFiles,
  dataContext,
  fitToData,
} from "@isthmus/zoo";
import { formatNormalization } from "../format/format-normalization.ts";
import { formatObjective } from "../format/format-objective.ts";
import { formatBytes, formatPairs } from "../format/format-table.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { expandPaths } from "../open/expand-paths.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { noteTwice, withCheckpoints } from "../open/open-checkpoints.ts";
import { openExamples } from "../open/open-data.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import {
  addLayerShareOptions,
  assertLayerShares,
  assertLayersResult,
  type LayerShareOptions,
  type LayerShares,
  openLayerShares,
} from "../options/layer-shares.ts";
import {
  addMatchOptions,
  assertAligns,
  type MatchVerbOptions,
  matchingOf,
} from "../options/match-options.ts";
import { parseBytes, parseNumbers } from "../options/parse-values.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

const FLOAT_TYPES = (Object.keys(DTYPES) as DType[]).filter((dtype) => DTYPES[dtype].float);

interface MergeOptions extends EngineOptions, MatchVerbOptions, LayerShareOptions, BindingOptions {
  readonly output: string;
  readonly weights?: readonly number[] | undefined;
  readonly path: PathKind;
  readonly dtype?: DType | undefined;
  readonly maxShardSize?: number | undefined;
  readonly allowNonFinite?: true | undefined;
  readonly align?: true | undefined;
  readonly graph?: string | undefined;
  readonly statistics?: StatisticsPolicy | undefined;
  readonly data?: string | undefined;
}

/** Creates the command `isthmus merge`. */
export function mergeVerb(run: RunVerb): CommandUnknownOpts {
  return addMatchOptions(
    addBindingOptions(addLayerShareOptions(addEngineOption(createMergeVerb()))),
    "--data",
  )
    .addHelpText("after", EXAMPLES)
    .action((paths, options) => run(options, (context) => mergeFiles(paths, options, context)));
}

function createMergeVerb() {
  return createVerb("merge")
    .argument(
      "<checkpoints...>",
      "two or more checkpoints of one architecture; * and ? are wildcards for files",
    )
    .requiredOption("-o, --output <path>", "a file ending in .safetensors, or a folder")
    .option(
      "--weights <list>",
      "one number for each checkpoint, for example .7,.3, which need not add up to 1 (default: equal numbers)",
      parseNumbers,
    )
    .addOption(
      new Option("--path <kind>", "the path between two checkpoints: the line, or the arc (spherical)")
        .choices(PATH_KINDS)
        .default("linear" as const),
    )
    .addOption(
      new Option(
        "--dtype <type>",
        "type of the result's floating-point tensors (default: their type in the first checkpoint)",
      ).choices(FLOAT_TYPES),
    )
    .option(
      "--max-shard-size <size>",
      "most bytes in one file, for example 5GB (default: one file)",
      parseBytes,
    )
    .option(
      "--align",
      "align every further checkpoint to the first; needs --graph, or a config.json with each",
    )
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel, for --align and --statistics",
    )
    .addOption(
      new Option(
        "--statistics <policy>",
        "how statistics of activations are corrected: recalibrate batch norms, or repair all layers (default: recalibrate if there are batch norms and --data)",
      ).choices(STATISTICS_POLICIES),
    )
    .option("--data <name>", "examples for --method and --statistics, for example mnist:train@10000")
    .option("--allow-non-finite", "write NaN and infinities, and what overflows --dtype (default: refuse)");
}

const EXAMPLES = formatExamples(
  ["isthmus merge a.safetensors b.safetensors -o merged.safetensors", "the mean of two checkpoints"],
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
    "isthmus merge a.pt b.pt c.pt --weights .5,.3,.2 --dtype bf16 --max-shard-size 5GB -o merged/",
    "three checkpoints, unequally, in shards",
  ],
);

async function mergeFiles(
  patterns: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<Outcome> {
  if (options.layersFrom !== undefined) await assertLayersResult(options.layersFrom);
  const paths = await expandPaths(patterns);
  assertUsage(paths, options);
  noteTwice(paths, context.terminal);
  if (options.align) await assertArchitecture("merge with --align", paths, options);
  await assertNoModelFolder(options.output, paths);
  const weights = options.weights ?? paths.map(() => 1 / paths.length);
  const layers = await openLayerShares(options, { paths, align: options.align });
  return withCheckpoints(paths, async (checkpoints) => {
    const opened = await openNetworks(checkpoints, paths, options, context);
    const aligned = await alignAll(opened, options, context);
    const [first, ...others] = opened.networks;
    if (first === undefined) throw tooFew(paths);
    const networks = [first, ...(aligned.length === 0 ? others : aligned.map(({ network }) => network))];
    const combined = combine(networks, { weights, layers, path: options.path });
    const statistics = policyOf(opened, options);
    const merged = await correct(combined, { networks, weights, statistics }, opened, context);
    const note = describeStatistics(opened, statistics, options);
    if (note !== undefined) context.terminal.note(note);
    const output = await saveCheckpoint(opened.restore(merged), options.output, {
      dtype: options.dtype,
      allowNonFinite: options.allowNonFinite ?? false,
      maxShardBytes: options.maxShardSize ?? Number.POSITIVE_INFINITY,
      metadata: describeMerge(checkpoints, { weights, layers }, { ...options, statistics }, context),
      overwrite: true,
      signal: context.signal,
      onProgress: ({ doneBytes, totalBytes }) => context.progress("Writing", doneBytes / totalBytes),
    });
    const copied = await copyModelFiles(at(paths, 0, "checkpoint"), options.output, options.dtype);
    const alignments = aligned.map(({ summary }, index) => ({ checkpoint: paths[index + 1], ...summary }));
    return {
      result: {
        ...{ output, copied, path: options.path, dtype: options.dtype ?? null, alignments },
        ...(layers === undefined ? { weights } : { layers: Object.fromEntries(layers.shares) }),
        statistics,
        ...(opened.architecture && { binding: opened.architecture.binding }),
      },
      text: formatMerge(output, { weights, layers }, alignments),
    };
  });
}

/** The networks to merge, whose tensors have the same names. */
interface OpenedNetworks {
  /** Their architecture; undefined if nothing needs it. */
  readonly architecture: BoundArchitecture | undefined;
  readonly networks: readonly Checkpoint[];
  /** Examples for matching and statistics; undefined if none are named, or no graph is run. */
  readonly data: DataSet | undefined;
  /** Renames the tensors of the merged network as in the file of the first checkpoint. */
  readonly restore: (merged: Checkpoint) => Checkpoint;
}

/**
 * Binds the checkpoints to their architecture if `--align` or `--graph` asks for one; else only finds the
 * prefixes of their names.
 */
async function openNetworks(
  checkpoints: readonly Checkpoint[],
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<OpenedNetworks> {
  if (!options.align && options.graph === undefined) {
    const [first, ...others] = checkpoints;
    if (first === undefined) throw tooFew(paths);
    const networks = [first, ...others.map((other) => withNamesOf(first, other))];
    return { architecture: undefined, networks, data: undefined, restore: (merged) => merged };
  }
  const read = await openSharedArchitecture(paths, options);
  const data =
    options.data === undefined ? undefined : await openExamples(options.data, options, dataContext(read));
  const shared = data === undefined ? read : fitToData(read, data);
  const architecture = await bindArchitecture(shared, checkpoints, options, context);
  const networks = architecture.networks.map(({ network }) => network);
  const { restore } = at(architecture.networks, 0, "network");
  return { architecture, networks, data, restore };
}

/** Aligns the other checkpoints to the first, if `--align` asks for it. */
async function alignAll(
  { architecture, data }: OpenedNetworks,
  options: MergeOptions,
  context: Context,
): Promise<readonly AlignedNetwork[]> {
  if (!options.align || architecture === undefined) return [];
  const { aligned } = await align(architecture, architecture.networks, {
    ...matchingOf(options, data),
    ...followAlignment(options.method, context),
  });
  return aligned;
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

/** The share of each checkpoint in all layers of the result, or that of the second in each layer. */
interface Shares {
  readonly weights: readonly number[];
  readonly layers: LayerShares | undefined;
}

/**
 * Chooses what is done about statistics: what the options say, else batch norms are measured anew if there
 * are data to do so.
 */
function policyOf({ architecture, networks }: OpenedNetworks, options: MergeOptions): StatisticsPolicy {
  if (options.statistics !== undefined) return options.statistics;
  const hasNorms = architecture !== undefined && countBatchNorms(architecture.graph) > 0;
  return hasNorms && options.data !== undefined && networks.length > 1 ? "recalibrate" : "keep";
}

/**
 * Says what was done about batch norms, or what it costs that nothing was done; returns undefined for
 * networks without batch norms.
 */
function describeStatistics(
  { architecture, networks }: OpenedNetworks,
  statistics: StatisticsPolicy,
  { statistics: policy, data }: MergeOptions,
): string | undefined {
  const count =
    architecture === undefined ? countRunningStatistics(networks) : countBatchNorms(architecture.graph);
  if (count === 0) return undefined;
  const norms = count === 1 ? "1 batch norm" : `${count} batch norms`;
  if (statistics !== "keep") {
    return `${norms}: statistics were ${statistics === "recalibrate" ? "measured anew" : "repaired"} on ${data}; --statistics keep leaves them averaged.`;
  }
  if (policy === "keep") return undefined;
  return `${norms}: their statistics are averaged as they are, which can cost most of the accuracy (29 % errors where 11 % are possible, on a small network for Fashion-MNIST): measure them anew with --graph model.onnx and --data, some thousand of the examples they were trained on, or say --statistics keep.`;
}

/** Counts the batch norms of networks without a graph, by the names of their statistics. */
function countRunningStatistics([first]: readonly Checkpoint[]): number {
  const names = [...(first?.tensors.keys() ?? [])];
  return names.filter((name) => /(^|[./])(running_var|moving_variance)$/.test(name)).length;
}

/** Returns the metadata of the result, which says how it was made. */
function describeMerge(
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
  { version }: Context,
): Record<string, string> {
  const { search: strategy, only, skip, normalize } = options;
  const search = align ? { align: { method, seed, restarts, search: strategy, only, skip, normalize } } : {};
  const correction = statistics === "keep" ? {} : { statistics, data };
  const shares = layers === undefined ? { weights } : { layers: Object.fromEntries(layers.shares) };
  const making = { verb: "merge", version, ...shares, path, ...search, ...correction };
  return { ...sharedMetadata(at(inputs, 0, "checkpoint")), ...describeMaking(inputs, making) };
}

function formatMerge(
  output: SaveCheckpointResult,
  { weights, layers }: Shares,
  alignments: readonly AlignedNetwork["summary"][],
): string {
  const pairs = alignments.flatMap(({ objective, normalized }, index): [string, string][] => [
    [`aligned ${index + 2} to 1`, `objective ${formatObjective(objective)}; verified`],
    ...formatNormalization(normalized),
  ]);
  const shares =
    layers === undefined
      ? `weights ${weights.map((weight) => Number(weight.toPrecision(4))).join(", ")}`
      : `of the second ${layers.description}`;
  return formatPairs([
    ...pairs,
    ["merged", `${weights.length} checkpoints, ${shares}`],
    [
      "wrote",
      `${output.path}, ${formatBytes(output.bytes)}${output.files.length > 1 ? ` in ${output.files.length} files` : ""}`,
    ],
  ]);
}

function tooFew(paths: readonly string[]): UsageError {
  return new UsageError(`Cannot merge as at least two checkpoints are needed: got ${paths.length}`);
}

function assertStatistics({ statistics, graph, data, path }: MergeOptions): void {
  const runsNetwork = statistics !== undefined && statistics !== "keep";
  if (runsNetwork && (graph === undefined || data === undefined)) {
    throw new UsageError(
      `Cannot merge with --statistics ${statistics} as it runs the network on examples: give --graph model.onnx and --data, for example mnist:train@10000`,
    );
  }
  if (statistics === "repair-closed-form" && path !== "linear") {
    throw new UsageError(
      `Cannot merge on the arc with --statistics ${statistics} as it is for the line: use repair`,
    );
  }
}

function assertUsage(paths: readonly string[], options: MergeOptions): void {
  const { weights, path, statistics } = options;
  assertStatistics(options);
  assertLayerShares(options, { paths, weights, path, statistics: statistics ?? "recalibrate" });
  assertAligns("merge", options);
  if (paths.length < 2) throw tooFew(paths);
  if (weights !== undefined && weights.length !== paths.length) {
    throw new UsageError(
      `Cannot merge ${paths.length} checkpoints as --weights needs one number for each: got ${weights.length}`,
    );
  }
  if (path === "spherical" && (paths.length !== 2 || weights?.some((weight) => weight < 0))) {
    throw new UsageError(
      `Cannot merge on the arc as it joins two checkpoints with weights of at least 0: got ${paths.length} checkpoints with weights ${weights?.join(", ") ?? "equal"}`,
    );
  }
}

function combine(
  checkpoints: readonly Checkpoint[],
  { weights, layers, path }: Shares & Pick<MergeOptions, "path">,
): Checkpoint {
  const [first] = checkpoints;
  if (layers !== undefined && first !== undefined) {
    const share = byLayer(layers.shares, 0, [...first.tensors.keys()]);
    const weight = [(tensor: string) => 1 - share(tensor), share];
    return merge(checkpoints, { method: linear, parameters: { weight } });
  }
  if (path === "linear") return merge(checkpoints, { method: linear, parameters: { weight: weights } });
  const t = at(normalizeWeights(weights, 2), 1, "weight");
  return merge(checkpoints, { method: slerp, parameters: { t } });
}
