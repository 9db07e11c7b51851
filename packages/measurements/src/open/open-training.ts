import { UsageError } from "@isthmus/core";
import { type AnyMeasurement, trainingOf } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import {
  assertNetworkOptions,
  type DataContext,
  type NetworkShape,
  openNetwork,
  openTrainingData,
  parseNetwork,
  planNetwork,
} from "@isthmus/zoo";
import type { OpenSubject } from "./open-subject.ts";
import type { TrainingSubjectOptions } from "./subject-options.ts";

/** Opens a network that a measurement trains, and the examples for it. */
export const openTraining: OpenSubject<"training"> = async (
  { measurement, options, resolved, seed = 0 },
  work,
) => {
  const named = { ...options, seed };
  assertNetworkOptions(named);
  const { net, graph: path, from, exportedFrom, data, engine } = named;
  const files = [path, from, exportedFrom].filter((file) => file !== undefined);
  await options.onFiles?.(files);
  const planned = await planNetwork(named);
  const examples = await openExamples(measurement, options, { ...resolved, seed }, planned.context);
  const { training, shape } = examples;
  const network = await openNetwork(named, { data: { ...training, ...shape }, read: planned.read });
  const { name, graph, weights, binding } = network;
  const isRead = net === undefined || from !== undefined;
  const initialize = isRead ? () => weights : parseNetwork(net, shape).initialize;
  try {
    return await work({
      subject: {
        name,
        written: { network: net ?? name, data },
        graph,
        engine,
        training,
        data: examples.data,
        initialize,
        initializeSeveral: (first, count) =>
          Array.from({ length: count }, (_, index) => initialize(first + index)),
      },
      files,
      binding,
    });
  } finally {
    await network.close();
  }
};

/** Examples of a training, and the number of outputs that the network is built for. */
interface OpenedExamples {
  readonly training: DataSet;
  readonly data: DataSet;
  readonly shape: NetworkShape;
}

/**
 * Opens the examples of a training, and changes them as the options of the measurement say.
 * @throws UsageError if there are no examples to measure on
 */
async function openExamples(
  measurement: AnyMeasurement,
  named: TrainingSubjectOptions,
  options: Readonly<Record<string, unknown>>,
  context: DataContext,
): Promise<OpenedExamples> {
  const { measured, change } = trainingOf(measurement);
  const opened = await openTrainingData(named, context);
  const examples = { training: opened.data, data: opened.evaluationData };
  const { training, data, outputs = training.classes } = change(examples, options);
  if (data !== undefined) {
    return { training, data, shape: { exampleShape: training.exampleShape, classes: outputs } };
  }
  throw new UsageError(
    `Cannot ${measurement.attempt} as it needs examples that are not trained on: name them with --${measured.flag}`,
  );
}
