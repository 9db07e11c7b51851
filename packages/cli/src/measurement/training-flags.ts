import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { entry, UsageError } from "@isthmus/core";
import type { AnyMeasurement, OpenedSubject, TrainingSubject } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { TRAINING_FIELDS } from "@isthmus/training";
import { nameTrainingData } from "@isthmus/zoo";
import { addDataOption, dataForms } from "../options/data-forms.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import type { Fields } from "./field-options.ts";

/** Options of commands that train, as the parser of command lines has them. */
export type TrainingMeasurementFlags = Partial<TrainingFlags> & {
  readonly data: string;
  readonly testData?: string;
};

/**
 * Adds the flags of a measurement that trains: the settings of the training and, unless it opens the examples
 * to train on in its own way, the flags that name these. They stand before other options, which keep their
 * meaning. A measurement whose options have no loss trains and scores by losses of its own, and has no flag
 * for it.
 */
export function addTrainingFlags(command: CommandUnknownOpts, { options, trains }: AnyMeasurement): void {
  if (trains === undefined) return;
  const heading = command.optionsGroup();
  if (trains.on !== undefined) {
    addDataOption(command, `examples to train on; ${dataForms(":train (if not said), :test or :val")}`);
    command.option(
      "--test-data <name>",
      "examples to measure on (default: the test split of --data, or else its validation split, if it has one and names none)",
    );
  }
  addTrainingOptions(command, { ...trains, hasLoss: "loss" in options });
  command.optionsGroup(heading);
}

/**
 * Returns the fields that have an option each; the fields of a training are left out, as its flags set them.
 */
export function flaggedFields({ options, trains }: Pick<AnyMeasurement, "options" | "trains">): Fields {
  if (trains === undefined) return options;
  const others = [trains.seeds, trains.otherSchedule].map((flagged) => flagged?.option);
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name]) => !Object.hasOwn(TRAINING_FIELDS, name) && !others.includes(name),
    ),
  );
}

/** Names of the examples of a command line. */
export interface NamedExamples {
  /** Examples to measure on. */
  readonly data: string;
  /** Examples to train on; undefined if the measurement trains on none, or opens them itself. */
  readonly training: string | undefined;
}

/**
 * Finds the names of the examples of a measurement: if it trains, `--data` names the examples to train on.
 * @throws UsageError if there are no examples to measure on
 */
export async function nameExamples(
  { attempt, trains }: AnyMeasurement,
  { data, testData }: TrainingMeasurementFlags,
): Promise<NamedExamples> {
  if (trains?.on === undefined) return { data, training: undefined };
  const { training, evaluated } = await nameTrainingData({ data, evalData: testData });
  if (evaluated !== undefined) return { data: evaluated, training };
  throw new UsageError(
    `Cannot ${attempt} as it must be measured on examples that it was not trained on, and --data has no others: name them with --test-data`,
  );
}

/** Returns the values that flags give to the options of a training that a measurement has. */
export function trainingValues(
  { options, trains }: AnyMeasurement,
  flags: Partial<TrainingFlags>,
  subject: OpenedSubject | TrainingSubject,
): Readonly<Record<string, unknown>> {
  if (trains === undefined) return {};
  // Commander has filled in the defaults of the flags.
  const values = trainingOptions(flags as TrainingFlags, {
    graph: subject.graph,
    data: trainedOn(subject, trains.on),
  });
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(options, name)));
}

/** Returns the examples of a subject that networks are trained on. */
function trainedOn(subject: OpenedSubject | TrainingSubject, on: string | undefined): DataSet {
  if ("training" in subject) return subject.training;
  return on === undefined ? subject.data : entry(subject.beside, on, "examples");
}
