import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  describeMaking,
  saveCheckpoint,
  saveFile,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import {
  FIT_DEFAULTS,
  MERGE_PARTIALLY_DEFAULTS,
  type MergedSymmetry,
  type MergePartiallyProgress,
  type MergePartiallyResult,
  mergePartially,
  PAIR_SIMILARITIES,
  type PairSimilarity,
  type PartialWidth,
} from "@isthmus/fusion";
import { type DataSet, encodeGraph } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import { formatPairs } from "../format/format-table.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addOutputsOption } from "../options/outputs-option.ts";
import { MOST, parseCount, parseLayerShares, parseNumber, parseSeed } from "../options/parse-values.ts";
import { assertNetworkOutput, assertOutput } from "../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface ZipOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly output: string;
  readonly width: PartialWidth;
  readonly data?: string | undefined;
  readonly dataA?: string | undefined;
  readonly dataB?: string | undefined;
  readonly fit: boolean;
  readonly fitExamples: number;
  readonly ridge: number;
  readonly method: PairSimilarity;
  readonly similarity?: PairSimilarity | undefined;
  readonly restarts: number;
  readonly seed: number;
}

/** Creates the command `isthmus zip`. */
export function zipVerb(run: RunVerb): CommandUnknownOpts {
  return addOutputsOption(addScalingOptions(addBindingOptions(addEngineOption(createZipVerb()))))
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => zip([a, b], options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus zip a.safetensors b.safetensors --graph model.onnx --width 1.5 --data mnist:train@500 -o wide",
    "write wide.onnx and wide.safetensors, of 1.5 times the width, each layer fitted to 500 images",
  ],
  [
    "isthmus zip a.pt b.pt --graph model.onnx --data-a npz:cats.npz --data-b npz:cars.npz -o wide",
    "networks of two tasks: units that both have are fitted to each on its own examples",
  ],
  [
    "isthmus zip a.pt b.pt --graph model.onnx --width 2 -o both",
    "keep all units apart: the mean of the outputs of both, as one network",
  ],
  [
    "isthmus zip a.pt b.pt --graph model.onnx --width fc1=1.5,fc2=1.2 -o wide",
    "widths of some symmetries, by their names in `isthmus symmetry`; the others are merged",
  ],
);

function createZipVerb() {
  return createVerb("zip", HELP_GROUPS.done)
    .argument("<a>", "a checkpoint: a file, or a folder; with its config.json no graph is needed")
    .argument("<b>", "a checkpoint of the same architecture")
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption("-o, --output <name>", "write <name>.onnx and <name>.safetensors")
    .option("--width <w>", WIDTH_TEXT, parseWidth, MERGE_PARTIALLY_DEFAULTS.width)
    .option("--data <name>", `examples to fit layers to, without labels; ${dataForms()}`)
    .option("--data-a <name>", "with --data-b: examples of the task of A; see --data")
    .option("--data-b <name>", "examples of the task of B")
    .option("--no-fit", "do not fit layers; batch norms are measured again on --data")
    .option("--fit-examples <n>", "fit on the first n examples only", parseCount(1), FIT_DEFAULTS.examples)
    .option(
      "--ridge <x>",
      "larger numbers keep weights closer to those before",
      parseNumber,
      FIT_DEFAULTS.ridge,
    )
    .addOption(
      new Option("--method <name>", "match units by weights, or by activations on --data")
        .choices(PAIR_SIMILARITIES)
        .default(MERGE_PARTIALLY_DEFAULTS.method)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--similarity <name>", "what pairs of units are chosen by (default: as --method)").choices(
        PAIR_SIMILARITIES,
      ),
    )
    .option(
      "--restarts <n>",
      "number of searches by weights, of which the best is taken",
      parseCount(1, MOST.searches),
      MERGE_PARTIALLY_DEFAULTS.restarts,
    )
    .option("--seed <n>", "seed of everything random", parseSeed, 0);
}

const WIDTH_TEXT =
  "width of the merged network relative to one of the two, from 1 to 2; or widths of symmetries, such as fc1=1.5";

/** Reads a width, or widths by names of symmetries. */
function parseWidth(text: string): PartialWidth {
  if (text.includes("=")) return Object.fromEntries(parseLayerShares(text));
  const width = parseNumber(text);
  if (width < 1 || width > 2) throw new InvalidArgumentError("It must be from 1 to 2.");
  return width;
}

async function zip(
  paths: readonly [string, string],
  options: ZipOptions,
  context: Context,
): Promise<Outcome> {
  const { method, similarity, restarts, seed, width, output } = options;
  assertTasks(options);
  return withCheckpoints(paths, async ([a, b]) => {
    const named = [options.graph, options.exportedFrom].filter((path) => path !== undefined);
    const inputs = [...a.files, ...b.files, ...named];
    await assertArchitecture("zip", paths, options);
    const [graphPath = "", networkPath = ""] = outputsOf(output);
    await assertOutput(graphPath, inputs);
    await assertNetworkOutput(networkPath, { inputs, models: paths });
    const names = { data: options.data, dataA: options.dataA, dataB: options.dataB };
    const opened = await openBound(paths, [a, b], names, await readingOf(options, context));
    const { networks, ...architecture } = opened.architecture;
    const examples = Object.fromEntries(opened.examples);
    const { data } = examples;
    const merged = await mergePartially(
      architecture,
      [at(networks, 0, "network").network, at(networks, 1, "network").network],
      {
        method,
        similarity,
        restarts,
        seed,
        width,
        data,
        signal: context.signal,
        fit: fitOf(options, examples),
        onProgress: (progress) => context.progress(PHASES[progress.phase], progress.share),
      },
    );
    const network =
      options.fit || data === undefined
        ? merged.network
        : await recalibrateBatchNorm({ ...architecture, graph: merged.graph }, merged.network, data);
    await save({ ...merged, network }, [a, b], options, { context, inputs });
    return describe(merged, options);
  });
}

const PHASES: Readonly<Record<MergePartiallyProgress["phase"], string>> = {
  discovering: "Discovering symmetries",
  matching: "Matching units",
  choosing: "Comparing pairs of units",
  proving: "Proving the wide graph",
  fitting: "Fitting layers",
};

/**
 * Checks that the options name fitting examples.
 * @throws UsageError if only one task has examples, or tasks and common examples are both to be fitted
 */
function assertTasks({ data, dataA, dataB, method, similarity }: ZipOptions): void {
  if ((dataA === undefined) !== (dataB === undefined)) {
    throw new UsageError(
      `Cannot zip as --data-a and --data-b belong together: got only ${dataA === undefined ? "--data-b" : "--data-a"}`,
    );
  }
  const compares = method === "activation" || similarity === "activation";
  if (data !== undefined && dataA !== undefined && !compares) {
    throw new UsageError(
      "Cannot zip as layers are fitted either to --data or to --data-a and --data-b: leave one out",
    );
  }
  if (compares && data === undefined) {
    throw new UsageError(
      "Cannot zip by activations as they need examples: add --data, for example --data mnist:train@1000",
    );
  }
}

type Opened = { readonly [K in "data" | "dataA" | "dataB"]?: DataSet };

/** Returns the options of the fit of layers; undefined if layers are not fitted. */
function fitOf({ fit, fitExamples, ridge }: ZipOptions, { data, dataA, dataB }: Opened) {
  if (!fit || (data === undefined && dataA === undefined)) return undefined;
  const tasks = dataA === undefined || dataB === undefined ? undefined : ([dataA, dataB] as const);
  return { examples: fitExamples, ridge, tasks };
}

const outputsOf = (output: string): string[] => {
  const base = output.replace(/\.(onnx|safetensors)$/, "");
  return [`${base}.onnx`, `${base}.safetensors`];
};

/** Saves the weights, and then the graph, so that there is never a graph without its weights. */
async function save(
  { graph, network }: Pick<MergePartiallyResult, "graph" | "network">,
  networks: readonly Checkpoint[],
  { output, width, method, similarity, seed, restarts }: ZipOptions,
  { context, inputs }: { readonly context: Context; readonly inputs: readonly string[] },
): Promise<void> {
  const [graphPath = "", networkPath = ""] = outputsOf(output);
  const making = {
    verb: "zip",
    ...context.maker,
    width: JSON.stringify(width),
    method,
    seed,
    restarts,
  };
  await saveCheckpoint(network, networkPath, {
    metadata: { ...network.metadata, ...describeMaking(networks, { ...making, similarity }) },
    overwrite: true,
    signal: context.signal,
    onProgress: ({ done }) => context.progress("Writing", done),
  });
  await saveFile(graphPath, encodeGraph(graph), inputs);
}

function describe({ symmetries, layers, proof }: MergePartiallyResult, { output }: ZipOptions): Outcome {
  const outputs = outputsOf(output);
  const text = formatPairs([
    ...symmetries.map(({ name, ...symmetry }): [string, string] => [name, formatSymmetry(symmetry)]),
    ...layers.map(({ weight, before, after }): [string, string] => [
      weight,
      `misses ${formatShare(before)} of what it should compute before, ${formatShare(after)} after`,
    ]),
    ["proved", `${proof.values} values, to ${proof.maxRelativeError.toExponential(1)} (relative)`],
    ["wrote", outputs.join(", ")],
  ]);
  return { result: { symmetries, layers, proof, outputs }, text };
}

function formatSymmetry({ size, merged, width, whole }: Omit<MergedSymmetry, "name">): string {
  const reason = whole === null ? "" : `, as ${whole}`;
  return `${size} units, ${merged} merged, ${width} now${reason}`;
}

const formatShare = (share: number): string => `${(100 * share).toFixed(1)} %`;
