import { resolveFields } from "@isthmus/core";
import {
  type AnyMeasurement,
  type AnyTrainingDescription,
  type TrainedExamples,
  type TrainingSubject,
  trainingOf,
} from "@isthmus/findings";
import { assertDataFits, fingerprintGraph, fingerprintWeights } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import * as z from "zod";
import { NAMED_DATA } from "../../file/entry-fields.ts";
import { shapeOfFields } from "../../schema/zod-of-form.ts";
import type { TaskData, TaskNetwork } from "../../tasks/task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "../../tasks/task-schema.ts";
import { chosenOf, completed, fromTaskParams, keyedOptions } from "../entry-params.ts";
import type { AnyEntry, SubjectForm } from "../subject-form.ts";

/** A network that the measurement trains itself, in place of networks of a group. */
export interface TrainingSelection {
  /** Short string of the network. */
  readonly net: string;
}

/** Way in which studies describe and open a network that a measurement trains. */
export const TRAINING_FORM: SubjectForm<"training", TrainingSelection, { readonly network: TaskNetwork }> = {
  selection: { net: z.string() },
  params: { network: TASK_NETWORK },
  paths: [],
  async plan({ measurement, task, entry: described, context: { planner, variables } }) {
    const { attempt, options: fields } = measurement;
    const description = trainingOf(measurement);
    const { trainedOn, measuredOn } = examplesOf(description, described);
    const trained = await planner.open(trainedOn);
    const measured = await planner.open(measuredOn);
    const chosen = chosenOf(measurement, described, planner.seed);
    const resolved = resolveFields(attempt, fields, Object.fromEntries(chosen));
    const written = { network: described.net, data: trainedOn };
    const examples = { training: trained.data, data: measured.data };
    const subject = buildTraining(measurement, { written, examples }, resolved);
    const { graph, training, data } = subject;
    assertDataFits("measure", graph, data, 1);
    const { net, start, label } = description.name(subject, resolved);
    const complete = completed(measurement, chosen, { graph, training, data, beside: new Map() });
    const options = Object.entries(keyedOptions(fields, complete));
    const isBeside = ([name]: readonly [string, unknown]) => description.options.includes(name);
    const { key } = planner.add(task, {
      params: {
        network: { net, graph: fingerprintGraph(graph), weights: await fingerprintWeights(graph, start) },
        [description.trained.param]: trained.description,
        [description.measured.param]: measured.description,
        ...Object.fromEntries(options.filter(isBeside)),
        options: Object.fromEntries(options.filter((option) => !isBeside(option))),
      },
      inputs: {},
      label,
    });
    return [{ variables, task: key }];
  },
  async open({ measurement, ports, params }, work) {
    const { attempt, options: fields } = measurement;
    const { trained, measured } = trainingOf(measurement);
    const open = (param: string) => ports.openData((params[param] as TaskData).name);
    const examples = { training: await open(trained.param), data: await open(measured.param) };
    const resolved = resolveFields(attempt, fields, fromTaskParams(measurement, params));
    const written = { network: params.network.net, data: examples.training.name };
    const subject = buildTraining(measurement, { written, examples }, resolved);
    return work({ ...subject, engine: ports.engine, name: written.network });
  },
};

/** Makes the schemas of the keys of an entry that name the examples of a training. */
export function trainingSelection({ trained, measured }: AnyTrainingDescription): z.ZodRawShape {
  return { [trained.entry]: NAMED_DATA, [measured.entry]: NAMED_DATA };
}

/** Makes the schemas of the parameters of a task that name the examples of a training, and change them. */
export function trainingParams(
  { trained, measured, options: names }: AnyTrainingDescription,
  fields: AnyMeasurement["options"],
): z.ZodRawShape {
  const changes = Object.entries(fields).filter(([name]) => names.includes(name));
  return {
    [trained.param]: TASK_DATA,
    [measured.param]: TASK_DATA,
    ...shapeOfFields(Object.fromEntries(changes), names),
  };
}

/** Returns the names of the examples that an entry trains and measures on. */
function examplesOf({ trained, measured }: AnyTrainingDescription, description: AnyEntry) {
  const names = new Map<string, unknown>(Object.entries(description));
  return { trainedOn: String(names.get(trained.entry)), measuredOn: String(names.get(measured.entry)) };
}

/** Changes the examples as the options say, and builds the network for them. */
function buildTraining(
  measurement: AnyMeasurement,
  { written, examples }: Pick<TrainingSubject, "written"> & { readonly examples: TrainedExamples },
  options: Readonly<Record<string, unknown>>,
): Omit<TrainingSubject, "engine"> {
  const {
    training,
    data = training,
    outputs = training.classes,
  } = trainingOf(measurement).change(examples, options);
  const { graph, spec, initialize } = parseNetwork(written.network, {
    exampleShape: training.exampleShape,
    classes: outputs,
  });
  return {
    name: spec,
    written,
    graph,
    training,
    data,
    initialize,
    // Seeds of an entry share no network: each has as many of its own.
    initializeSeveral: (seed, count) =>
      Array.from({ length: count }, (_, index) => initialize(count * seed + index)),
  };
}
