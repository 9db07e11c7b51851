import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Checkpoint, UsageError } from "@isthmus/core";
import { shuffleLabels } from "@isthmus/data";
import {
  DIMENSION_SEARCH_FIELDS,
  type DimensionSearchChoice,
  type IntrinsicDimensionProgress,
  type IntrinsicDimensionResult,
  type MeasureIntrinsicDimensionOptions,
  measureIntrinsicDimension,
} from "@isthmus/subspace";
import type { TrainOptions } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { formatIntrinsicDimension } from "../format/format-intrinsic-dimension.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { readFields } from "../measurement/field-options.ts";
import { addBindingOptions } from "../open/bind-architecture.ts";
import { addEngineOption, createEngine, type EngineOptions } from "../options/engine-option.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import {
  addSearchOptions,
  addTrainedOptions,
  type SearchFlags,
  type TrainedFlags,
} from "../subspace/intrinsic-dimension-options.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { formatPace } from "../training/format-training.ts";
import {
  assertNetworkOptions,
  type OpenNetwork,
  openNetwork,
  planNetwork,
} from "../training/open-network.ts";
import { openTrainingData } from "../training/open-training-data.ts";
import { type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface IntrinsicDimensionVerbOptions extends TrainedFlags, SearchFlags, TrainingFlags, EngineOptions {
  /** Which subspaces are searched, as far as the command line says it. */
  readonly search: DimensionSearchChoice;
}

const ATTEMPT = "measure an intrinsic dimension";

/** Creates the command `isthmus intrinsic-dimension`. */
export function intrinsicDimensionVerb(run: RunVerb): CommandUnknownOpts {
  const trained = addBindingOptions(
    addTrainingOptions(addTrainedOptions(createVerb("intrinsic-dimension")), 1, "adam"),
  );
  const command = addSearchOptions(addEngineOption(trained)).addHelpText("after", EXAMPLES);
  return command.action((options) =>
    run(options, (context) => {
      const search = readFields(ATTEMPT, command, DIMENSION_SEARCH_FIELDS);
      return intrinsicDimension({ ...options, search }, context);
    }),
  );
}

const EXAMPLES = formatExamples(
  [
    "isthmus intrinsic-dimension --net mlp:200x2 --data mnist --epochs 2 --journal d90.journal.json -o d90.json --report d90.html",
    "how many numbers a network needs to read digits; start it again after an interruption and it goes on",
  ],
  [
    "isthmus intrinsic-dimension --net vgg:1-1:w0.125:none --data fashion-mnist --projection sparse --runs 2 --first 200",
    "of a small convolutional network, with a faster matrix for small dimensions",
  ],
  [
    "isthmus intrinsic-dimension --net mlp:200x2 --data mnist:train@5000 --shuffle-labels --epochs 20",
    "how many it needs to learn labels by heart that say nothing",
  ],
);

async function intrinsicDimension(
  options: IntrinsicDimensionVerbOptions,
  context: Context,
): Promise<Outcome> {
  assertNetworkOptions(options);
  if (options.report !== undefined) assertPageName(options.report);
  const { journal, output, report } = options;
  const inputs = [options.graph, options.from, options.exportedFrom].filter((path) => path !== undefined);
  const outputs = [output, report].filter((path) => path !== undefined);
  for (const path of [journal, ...outputs]) if (path !== undefined) await assertOutput(path, inputs);
  const { read, context: dataContext } = await planNetwork(options);
  const data = await openExamplesOf(options, dataContext);
  const network = await openNetwork(options, { data: data.training, read }, context);
  try {
    const result = await measure({ options, network, data }, context);
    await saveResult(result, { output, report }, { inputs, context });
    return {
      result: { ...result, ...(network.binding && { binding: network.binding }) },
      text: formatIntrinsicDimension(result, context.terminal) + formatOutputs(outputs),
    };
  } finally {
    await network.close();
  }
}

type Data = Parameters<typeof measureIntrinsicDimension>[2];

async function openExamplesOf(
  options: IntrinsicDimensionVerbOptions,
  dataContext: Parameters<typeof openTrainingData>[1],
): Promise<Data> {
  const { data, evaluationData } = await openTrainingData(options, dataContext);
  if (options.shuffleLabels) {
    const training = shuffleLabels(data, options.seed);
    return { training, evaluation: training };
  }
  if (evaluationData !== undefined) return { training: data, evaluation: evaluationData };
  throw new UsageError(
    "Cannot measure an intrinsic dimension as accuracies need examples that are not trained on: name them with --eval-data",
  );
}

interface Measurement {
  readonly options: IntrinsicDimensionVerbOptions;
  readonly network: OpenNetwork;
  readonly data: Data;
}

async function measure(
  { options, network, data }: Measurement,
  { signal, progress, terminal }: Context,
): Promise<IntrinsicDimensionResult> {
  const { search, journal, seed, runs } = options;
  const architecture = { graph: network.graph, engine: await createEngine(options.engine) };
  let finished = 0;
  const onProgress = (at: IntrinsicDimensionProgress) => {
    finished = at.trainings;
    progress(stageOf(at), at.training.step / at.training.steps, () => formatPace(at.training));
  };
  progress("Preparing");
  try {
    const result = await measureIntrinsicDimension(architecture, startsOf(options, network, data), data, {
      ...recipeOf(options, network, data),
      ...{ ...search, journalPath: journal, signal, onProgress },
      seeds: Array.from({ length: runs }, (_, i) => seed + i),
    });
    return { ...result, network: network.name };
  } catch (error) {
    if (signal.aborted && journal !== undefined) {
      terminal.note(
        `isthmus intrinsic-dimension: ${finished} trainings are in "${journal}": it goes on from there`,
      );
    }
    throw error;
  }
}

/** Returns how networks are trained, in full and in subspaces. */
function recipeOf(
  options: IntrinsicDimensionVerbOptions,
  { graph }: OpenNetwork,
  { training }: Data,
): MeasureIntrinsicDimensionOptions {
  const flags = trainingOptions(options, { graph, data: training });
  const { epochs, batch, remainder, loss, optimizer, schedule, augment, freeze, threads, saveEvery } =
    flags as Required<TrainOptions>;
  if (options.shuffleLabels && typeof loss === "object" && loss.kind === "next-token") {
    throw new UsageError(
      "Cannot train on shuffled labels with the loss next-token as it predicts tokens from each other: leave --shuffle-labels out",
    );
  }
  return {
    ...{ epochs, batch, remainder, loss, optimizer, augment, freeze, threads, saveEvery },
    baselineSchedule: schedule,
    schedule: { ...schedule, learningRate: options.subspaceLr },
  };
}

/** Returns the start of each seed: random weights of its own, unless a checkpoint or a graph has weights. */
function startsOf(
  { net, from }: IntrinsicDimensionVerbOptions,
  { weights }: OpenNetwork,
  { training: { exampleShape, classes } }: Data,
): (seed: number) => Checkpoint {
  if (net === undefined || from !== undefined) return () => weights;
  return parseNetwork(net, { exampleShape, classes }).initialize;
}

function stageOf({ stage, dimension, seed, trainings }: IntrinsicDimensionProgress): string {
  const where = stage === "baseline" ? "Training in full" : `Training in ${dimension} dimensions`;
  return `${where}, seed ${seed} (training ${trainings + 1})`;
}
