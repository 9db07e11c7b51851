import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { type AnyMeasurement, type AnyTrainingDescription, trainingOf } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import {
  assertNetworkOptions,
  type DataContext,
  type ExamplesReading,
  NETWORK_FORMS,
  type NetworkShape,
  openNetwork,
  openTrainingData,
  parseNetwork,
  planNetwork,
} from "@isthmus/zoo";
import { addBindingOptions } from "../open/bind-architecture.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";
import { assertOutput } from "../output/assert-output.ts";
import type { NetworkFlags } from "../training/network-flags.ts";
import { type FlaggedTraining, type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import { toAttribute } from "./flag-names.ts";
import type { SubjectForm } from "./open-subject.ts";

/**
 * Options for the network, the data and the settings of a training, as the parser of command lines has them.
 */
type TrainingRequest = NetworkFlags & TrainingFlags & { readonly data: string };

/** Way in which commands describe and open a network that a measurement trains. */
export const TRAINING_FORM: SubjectForm = {
  arguments: [],
  addOptions(command, measurement) {
    addSeveralOptions(command, measurement);
    addNetworkOptions(command, measurement);
    addExamplesOptions(command, trainingOf(measurement));
    addScalingOptions(addEngineOption(command));
    if (isOfAnyGraph(measurement)) addBindingOptions(command);
  },
  async open({ measurement, options, flags, outputs }, context, work) {
    // Commander cannot know the types of options from tables.
    const request = flags as unknown as TrainingRequest;
    assertNetworkOptions(request);
    const { net, graph: path, from, exportedFrom, data, seed } = request;
    const inputs = [path, from, exportedFrom].filter((file) => file !== undefined);
    for (const file of outputs) await assertOutput(file, inputs);
    const reading = await readingOf(request, context);
    const planned = await planNetwork(reading);
    const examples = await openExamples(measurement, reading, { ...options, seed }, planned.context);
    const { training, shape } = examples;
    const network = await openNetwork(reading, { data: { ...training, ...shape }, read: planned.read });
    const { name, graph, weights, binding } = network;
    const isRead = net === undefined || from !== undefined;
    const initialize = isRead ? () => weights : parseNetwork(net, shape).initialize;
    try {
      return await work({
        subject: {
          name,
          written: { network: net ?? name, data },
          graph,
          engine: reading.engine,
          training,
          data: examples.data,
          initialize,
          initializeSeveral: (first, count) =>
            Array.from({ length: count }, (_, index) => initialize(first + index)),
        },
        implied: impliedBy(measurement, request, trainingOptions(request, { graph, data: training })),
        inputs,
        facts: [],
        beside: { ...(binding && { binding }) },
      });
    } finally {
      await network.close();
    }
  },
};

/** Checks whether a measurement trains networks of any graph; if not, they are built for images. */
const isOfAnyGraph = ({ trains }: AnyMeasurement): boolean => trains?.trained !== "images";

function addNetworkOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  const [flag, forms] = ["--net <name>", NETWORK_FORMS.join(", ")];
  command.optionsGroup(HELP_GROUPS.networks);
  if (!isOfAnyGraph(measurement)) {
    command.requiredOption(flag, `the network, which is built for the images: ${forms}`);
    return;
  }
  command
    .option(flag, `a network to build: ${forms}`)
    .option("--graph <file>", "the architecture to train, an .onnx file")
    .option("--from <file>", "a checkpoint that all seeds start from (default: random weights of each seed)");
}

function addExamplesOptions(
  command: CommandUnknownOpts,
  { trained, measured }: AnyTrainingDescription,
): void {
  const forms = dataForms(":train (if not said), :test or :val");
  command.requiredOption("--data <name>", trained.help ?? forms);
  const flag = `--${measured.flag} <name>`;
  if (measured.default === undefined) command.requiredOption(flag, measured.help);
  else command.option(flag, measured.help);
}

/** Adds the options of a measurement that also trains by another schedule, or with several seeds. */
function addSeveralOptions(command: CommandUnknownOpts, { options, trains }: AnyMeasurement): void {
  const { seeds, otherSchedule } = trains ?? {};
  if (otherSchedule !== undefined) {
    const { flag, help, defaultRate } = otherSchedule;
    command.option(`--${flag} <x>`, help, parseNumber, defaultRate);
  }
  if (seeds === undefined) return;
  const usual = options[seeds.option]?.default;
  command.option(`--${seeds.flag} <n>`, seeds.help, parseCount(1), Array.isArray(usual) ? usual.length : 1);
}

/** Examples of a training, and the number of outputs that the network is built for. */
interface OpenedExamples {
  readonly training: DataSet;
  readonly data: DataSet;
  readonly shape: NetworkShape;
}

/**
 * Opens the examples of a training, and changes them as the options say.
 * @throws UsageError if there are no examples to measure on
 */
async function openExamples(
  measurement: AnyMeasurement,
  request: ExamplesReading & { readonly data: string },
  options: Readonly<Record<string, unknown>>,
  context: DataContext,
): Promise<OpenedExamples> {
  const { measured, change } = trainingOf(measurement);
  const named = new Map<string, unknown>(Object.entries(request)).get(toAttribute(measured.flag));
  const evalData = typeof named === "string" ? named : undefined;
  const opened = await openTrainingData({ ...request, evalData }, context);
  const examples = { training: opened.data, data: opened.evaluationData };
  const { training, data, outputs = training.classes } = change(examples, options);
  if (data !== undefined) {
    return { training, data, shape: { exampleShape: training.exampleShape, classes: outputs } };
  }
  throw new UsageError(
    `Cannot ${measurement.attempt} as it needs examples that are not trained on: name them with --${measured.flag}`,
  );
}

/** Returns the options that flags of another meaning give: seeds, and the second of two schedules. */
function impliedBy(
  { trains }: AnyMeasurement,
  request: TrainingRequest,
  { schedule }: FlaggedTraining,
): Readonly<Record<string, unknown>> {
  const { seeds, otherSchedule } = trains ?? {};
  const numbers = new Map<string, unknown>(Object.entries(request));
  const numberOf = ({ flag }: Pick<NonNullable<typeof seeds>, "flag">) =>
    Number(numbers.get(toAttribute(flag)));
  return {
    ...(seeds && {
      [seeds.option]: Array.from({ length: numberOf(seeds) }, (_, index) => request.seed + index),
    }),
    ...(otherSchedule && {
      [otherSchedule.option]: schedule,
      schedule: { ...schedule, learningRate: numberOf(otherSchedule) },
    }),
  };
}
