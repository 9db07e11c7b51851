import { rm } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at, type Checkpoint, describeMaking, saveCheckpoint, UsageError } from "@isthmus/core";
import { DATA_SET_FORMS } from "@isthmus/data";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  measurePruning,
  PRUNE_CHOICES,
  PRUNE_DEFAULTS,
  type PruneChoice,
  type PrunedNetwork,
  type PruneResult,
  pruneNetwork,
  trainMasked,
} from "@isthmus/sparsity";
import { discoverSymmetries } from "@isthmus/symmetry";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatPruning } from "../format/format-pruning.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import {
  MOST,
  parseCount,
  parseLayerShares,
  parseNames,
  parseNumber,
  parseSeed,
} from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { followTraining } from "../training/follow-training.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface PruneVerbOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly sparsity: number;
  readonly by: PruneChoice;
  readonly layers?: readonly string[] | undefined;
  readonly shares?: ReadonlyMap<string, number> | undefined;
  readonly data?: string | undefined;
  readonly trainData?: string | undefined;
  readonly epochs: number;
  readonly lr: number;
  readonly batch?: number | undefined;
  readonly seed: number;
  readonly resume?: true | undefined;
  readonly output: string;
  readonly saveResult?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus prune`. */
export function pruneVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(addScalingOptions(addEngineOption(createPruneVerb())))
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => prune(path, options, context)));
}

function createPruneVerb() {
  return createVerb("prune")
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .requiredOption("--sparsity <share>", "share of the weights that becomes zero, such as 0.9", parseNumber)
    .addOption(
      new Option("--by <choice>", "the least weights of all, the least of each layer, or the least units")
        .choices(PRUNE_CHOICES)
        .default(PRUNE_DEFAULTS.by),
    )
    .option("--layers <names>", "weights, or layers of units, that are pruned (default: all)", parseNames)
    .option("--shares <list>", "other shares by layer or units, such as conv*=.5,fc=.9", parseLayerShares)
    .option("--data <name>", `examples to measure losses on; ${DATA_SET_FORMS.join(", ")}`)
    .option("--train-data <name>", "examples to train on after pruning (default: --data)")
    .option(
      "--epochs <n>",
      "times each is seen, with pruned weights held at zero",
      parseCount(0, MOST.epochs),
      0,
    )
    .option("--lr <x>", "learning rate, falling to 0 along half a cosine", parseNumber, 0.01)
    .option("--batch <n>", "examples in a step", parseCount(1))
    .option("--seed <n>", "seed of the order of examples", parseSeed, 0)
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted training left one")
    .requiredOption("-o, --output <path>", "the pruned network: a checkpoint, or a folder")
    .option("--save-result <file>", "write sparsities and losses, too (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus prune a.safetensors --graph model.onnx --sparsity 0.9 -o pruned.safetensors",
    "nine of ten weights, wherever the least are",
  ],
  [
    "isthmus prune a.pt --graph cnn.onnx --sparsity 0.5 --by units --data mnist:test --train-data mnist --epochs 2 -o small.pt --report prune.html",
    "half of the channels, trained on with the others at zero, losses before and after on a page",
  ],
  [
    "isthmus prune a.pt --graph cnn.onnx --sparsity 0.8 --by layer --shares 'conv1.*=.3' -o pruned.pt",
    "less of the first layer",
  ],
);

/** The examples that options name. */
interface PruneData {
  readonly measured?: DataSet | undefined;
  readonly trained?: DataSet | undefined;
}

async function prune(path: string, options: PruneVerbOptions, context: Context): Promise<Outcome> {
  const { output, report, saveResult: saved, epochs } = options;
  if (report !== undefined) assertPageName(report);
  if (epochs > 0 && options.data === undefined && options.trainData === undefined) {
    throw new UsageError("Cannot train for --epochs as there must be examples: name them with --train-data");
  }
  return withCheckpoints([path], async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const results = [saved, report].filter((file) => file !== undefined);
    for (const file of results) await assertOutput(file, inputs);
    await assertArchitecture("prune", [path], options);
    const read = await openSharedArchitecture([path], options);
    const open = (name: string) => openExamples(name, options, dataContext(read));
    const measured = options.data === undefined ? undefined : await open(options.data);
    const trained = options.trainData === undefined ? measured : await open(options.trainData);
    const example = measured ?? trained;
    const fitted = example === undefined ? read : fitToData(read, example);
    const bound = await bindArchitecture(fitted, checkpoints, options, context);
    const { network, restore } = at(bound.networks, 0, "network");
    const { weights, result } = await pruneAndMeasure(
      { architecture: bound, network, options },
      { measured, trained },
      context,
    );
    const { files } = await saveCheckpoint(restore(weights), output, {
      metadata: describeMaking(checkpoints, {
        ...{ verb: "prune", version: context.version, sparsity: options.sparsity, by: options.by },
      }),
      ...{ overwrite: true, signal: context.signal },
    });
    await rm(stateOf(output), { force: true });
    await saveResult(result, { output: saved, report }, { inputs, context });
    return {
      result: { ...result, binding: bound.binding, outputs: [...files, ...results] },
      text: formatPruning(result) + formatOutputs([...files, ...results]),
    };
  });
}

interface PruneJob {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly options: PruneVerbOptions;
}

async function pruneAndMeasure(
  { architecture, network, options }: PruneJob,
  { measured, trained }: PruneData,
  context: Context,
): Promise<{ readonly weights: Checkpoint; readonly result: PruneResult }> {
  const { sparsity, by, layers, shares, epochs, seed } = options;
  const { graph, engine } = architecture;
  const { signal } = context;
  context.progress("Pruning");
  const symmetries = by === "units" ? await discoverSymmetries({ graph, engine }, { signal }) : undefined;
  const pruned = await pruneNetwork({ graph, ...(symmetries && { symmetries }) }, network, {
    ...{ sparsity, by, layers, shares: Object.fromEntries(shares ?? []) },
  });
  const tuned =
    epochs === 0 || trained === undefined
      ? undefined
      : await tune(architecture, pruned, { data: trained, options }, context);
  const compared = { before: network, after: pruned.weights, tuned };
  const measures = measured && (await measurePruning({ graph, engine }, compared, measured, { signal }));
  const tuning = tuned && trained && { tuning: { data: trained.name, epochs, seed } };
  return {
    weights: tuned ?? pruned.weights,
    result: { ...pruned.result, ...(measures && { measures }), ...tuning },
  };
}

async function tune(
  { graph, engine }: Architecture,
  pruned: PrunedNetwork,
  { data, options }: { readonly data: DataSet; readonly options: PruneVerbOptions },
  context: Context,
): Promise<Checkpoint> {
  const { epochs, seed, batch, lr, resume = false, output } = options;
  const { weights } = await followTraining({ verb: "prune", state: stateOf(output) }, context, (following) =>
    trainMasked({ graph, engine }, pruned, data, {
      ...{ epochs, seed, batch, resume, schedule: { kind: "cosine", learningRate: lr } },
      ...following,
    }),
  );
  return weights;
}

/** Names the state beside the checkpoint or the folder in the making. */
function stateOf(output: string): string {
  return `${output.replace(/[\\/]+$/, "").replace(/\.safetensors$/, "")}.state.safetensors`;
}
