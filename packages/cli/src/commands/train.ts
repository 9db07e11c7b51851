import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import { type Checkpoint, saveFile, sizeOf } from "@isthmus/core";
import type { CurvatureHistory } from "@isthmus/curvature";
import { encodeGraph } from "@isthmus/graph";
import { type Trained, train } from "@isthmus/training";
import {
  assertNetworkOptions,
  describeNetworks,
  NETWORK_FORMS,
  type NetworkToTrain,
  noteFeeds,
  openNetwork,
  openTrainingData,
  planNetwork,
  type TrainingData,
  type TrainingDataNames,
} from "@isthmus/zoo";
import { formatPairs } from "../format/format-table.ts";
import { saveMade } from "../making/save-made.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { openEngine } from "../open/open-engine.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertOutput } from "../output/assert-output.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { followTraining } from "../training/follow-training.ts";
import { formatEpochs, formatRate, formatSeconds } from "../training/format-training.ts";
import { addLocalOptions, type LocalFlags, localOptions } from "../training/local-options.ts";
import { addLossGraphOption, type LossGraphFlags, openLossGraph } from "../training/loss-graph-option.ts";
import {
  addMeasureOptions,
  assertMeasure,
  type MeasureFlags,
  openMeasurement,
} from "../training/measure-training.ts";
import type { NetworkFlags } from "../training/network-flags.ts";
import { saveSnapshots } from "../training/save-snapshots.ts";
import { addTeleportOptions, openTeleports, type TeleportFlags } from "../training/teleport-options.ts";
import { nameTrainingFiles, type TrainingFiles } from "../training/training-files.ts";
import { stepsOfTraining, type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface TrainVerbOptions
  extends NetworkFlags,
    Pick<TrainingDataNames, "data" | "evalData">,
    LocalFlags,
    MeasureFlags,
    TeleportFlags,
    LossGraphFlags,
    Omit<TrainingFlags, "seed"> {
  readonly output: string;
  readonly saveGraph?: string | undefined;
  readonly resume?: true | undefined;
  readonly snapshots?: string | undefined;
}

/** Creates the command `isthmus train`. */
export function trainVerb(run: RunVerb): CommandUnknownOpts {
  const training = addBindingOptions(
    addLocalOptions(
      addTeleportOptions(
        addLossGraphOption(addTrainingOptions(withData(createWithNetwork()), { leastEpochs: 0 })),
      ),
    ),
  );
  return withOutput(addEngineOption(addMeasureOptions(training)))
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", () => `\nNetworks:\n${describeNetworks().replace(/^(?=.)/gm, "  ")}\n`)
    .action((options) => run(options, (context) => trainNetwork(options, context)));
}

function createWithNetwork() {
  return createVerb("train", HELP_GROUPS.networks)
    .option("--net <name>", `a network to build: ${NETWORK_FORMS.join(", ")}`)
    .option("--graph <file>", "the architecture to train, an .onnx file")
    .option("--from <file>", "a checkpoint to start from (default: random weights, or those of --graph)");
}

function withData(command: ReturnType<typeof createWithNetwork>) {
  return addScalingOptions(command)
    .requiredOption("--data <name>", dataForms(":train (if not said), :test or :val"))
    .option(
      "--eval-data <name>",
      'examples to evaluate on after every epoch, or "none" (default: the test split of --data, or else its validation split, if it has one and names none)',
    );
}

function withOutput<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <file>", "the trained weights, a file ending in .safetensors")
    .option(
      "--save-graph <file>",
      "the graph (default: beside the output as .onnx; not written with --graph)",
    )
    .option(
      "--snapshots <folder>",
      "keep the network before training and after every epoch there, for isthmus landscape",
    )
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted training left one");
}

const EXAMPLES = formatExamples(
  [
    "isthmus train --net mlp:512x3 --data mnist --epochs 3 --seed 0 -o a.safetensors",
    "a network that reads digits, in seconds; its graph goes to a.onnx",
  ],
  [
    "isthmus train --net resnet20 --data fashion-mnist --epochs 5 --crop 2 --flip --weight-decay 5e-4 -o b.safetensors --resume",
    "with changed images; start it again after an interruption and it goes on where it was",
  ],
  [
    "isthmus train --net gpt:d2:w64:h4:c64 --data text:book.txt --optimizer adamw --epochs 10 -o gpt.safetensors",
    "a small language model of characters, evaluated on the last tenth of the text",
  ],
  [
    "isthmus train --net mlp:512x2 --data mnist --epochs 10 --measure curvature -o a.safetensors",
    "with the sharpness of the loss after every epoch in a.curvature.json, which isthmus report draws; --measure-every 50steps after every 50 steps",
  ],
  [
    "isthmus train --net mlp:512x3 --data mnist --epochs 3 --teleport 100 -o a.safetensors",
    "moved along its symmetries after every 100 steps, to where the gradient is larger",
  ],
  [
    "isthmus train --graph a.onnx --from a.safetensors --data fashion-mnist --lr 0.01 --epochs 1 -o tuned.safetensors",
    "fine-tune a checkpoint",
  ],
);

async function trainNetwork(options: TrainVerbOptions, context: Context): Promise<Outcome> {
  assertNetworkOptions(options);
  assertMeasure(options);
  const files = nameTrainingFiles(options);
  const inputs = [options.graph, options.from, options.exportedFrom, options.lossGraph].filter(
    (path) => path !== undefined,
  );
  for (const path of Object.values(files)) if (path !== undefined) await assertOutput(path, inputs);
  const { output, resume } = options;
  return withTrainingLock({ state: files.state, output, resume, note: context.terminal.note }, () =>
    trainAlone(options, files, context),
  );
}

async function trainAlone(
  options: TrainVerbOptions,
  files: TrainingFiles,
  context: Context,
): Promise<Outcome> {
  const reading = await readingOf(options, context);
  const { read, context: dataContext } = await planNetwork(reading);
  const data = await openTrainingData(reading, dataContext);
  const network = await openNetwork(reading, { data: data.data, read });
  try {
    const isScaled = options.mean !== undefined;
    noteFeeds("train", { graph: network.graph }, data.data, { isScaled, onNote: reading.onNote });
    const trained = await runTraining({ options, files, data, network }, context);
    const written = await saveTrained(trained, { options, files, network }, context);
    return {
      result: {
        network: network.name,
        data: data.data.name,
        evaluationData: data.evaluationData?.name ?? null,
        ...trained.result,
        ...(trained.measured && { measured: trained.measured }),
        ...(network.binding && { binding: network.binding }),
        outputs: written,
      },
      text: formatTrained(trained, { data, network }, written),
    };
  } finally {
    await network.close();
  }
}

interface Run {
  readonly options: TrainVerbOptions;
  readonly files: TrainingFiles;
  readonly data: TrainingData;
  readonly network: NetworkToTrain;
}

async function runTraining(
  { options, files, data, network }: Run,
  context: Context,
): Promise<Trained & { readonly measured?: CurvatureHistory }> {
  const { graph, weights } = network;
  const { snapshots } = options;
  const save = snapshots === undefined ? undefined : await saveSnapshots(snapshots, network, context.signal);
  const scored = await openLossGraph(options, graph, data);
  const architecture = { graph: scored.graph, engine: await openEngine(options, context) };
  const training = trainingOptions(options, scored);
  const resume = options.resume ?? false;
  const steps = stepsOfTraining(training, data.data);
  const measured = { flags: options, files, resume, steps };
  const measurement = await openMeasurement(architecture, data.data, measured, context);
  const measuring = await measurement?.begin(weights);
  const follows = [save, measuring?.onEpoch].filter((follow) => follow !== undefined);
  const onEpoch = async (epochs: number, current: Checkpoint): Promise<void> => {
    for (const follow of follows) await follow(epochs, current);
  };
  const { seed, batch } = training;
  const teleports = await openTeleports(options, architecture, { weights, data: data.data, seed, batch });
  const trained = await followTraining({ verb: "train", state: files.state }, context, async (following) =>
    train(architecture, weights, scored.data, {
      ...training,
      ...localOptions(options),
      evaluationData: scored.evaluationData,
      ...following,
      move: teleports?.move,
      onEpoch: follows.length > 0 ? onEpoch : undefined,
      collect: measuring?.collect,
      resume,
    }),
  ).finally(() => teleports?.release());
  return { ...trained, ...(measurement && { measured: measurement.history() }) };
}

/** Saves the graph and the weights, then removes the state of the training; returns the files written. */
async function saveTrained(
  { weights, result }: Trained,
  { options, files, network }: Pick<Run, "options" | "files" | "network">,
  context: Context,
): Promise<readonly string[]> {
  const { seed, epochs, data } = options;
  const { batch } = result;
  const from = options.from === undefined ? [] : [network.weights];
  const making = { network: basename(network.name), data, epochs, batch, seed };
  const outputs: string[] = [];
  if (files.graph !== undefined) {
    await saveFile(files.graph, encodeGraph(network.graph), network.weights.files);
    outputs.push(files.graph);
  }
  const made = { verb: "train", from, options: making };
  const { path } = await saveMade(network.restore(weights), files.checkpoint, made, context);
  await rm(files.state, { force: true });
  return [path, ...outputs, ...(files.measured === undefined ? [] : [files.measured])];
}

function formatTrained(
  { result, weights }: Trained,
  { data: { data, evaluationData }, network }: Pick<Run, "data" | "network">,
  outputs: readonly string[],
): string {
  const parameters = [...weights.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const pairs: [string, string][] = [
    ["network", `${network.name}, ${parameters.toLocaleString("en-US")} numbers`],
    ["data", `${data.name}, ${data.size.toLocaleString("en-US")} examples`],
  ];
  if (evaluationData !== undefined) pairs.push(["evaluated on", evaluationData.name]);
  if (result.resumedAt > 0) pairs.push(["went on", `from step ${result.resumedAt} of ${result.steps}`]);
  if (result.examplesPerSecond > 0) {
    pairs.push([
      "time",
      `${formatSeconds(result.seconds)}, ${formatRate(result.examplesPerSecond)} examples/s in training`,
    ]);
  }
  pairs.push(["wrote", outputs.join(", ")]);
  return `${formatEpochs(result)}\n\n${formatPairs(pairs)}`;
}
