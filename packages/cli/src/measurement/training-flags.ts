import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { entry } from "@isthmus/core";
import type { AnyMeasurement, OpenedSubject, TrainingSubject, Trains } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { TRAINING_FIELDS } from "@isthmus/training";
import { addDataOption, dataForms } from "../options/data-forms.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { type FlaggedTraining, type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import type { Fields } from "./field-options.ts";
import { toAttribute } from "./flag-names.ts";

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
  const chosen = Object.entries(values).filter(([name]) => Object.hasOwn(options, name));
  return { ...Object.fromEntries(chosen), ...severalValues(trains, flags, values) };
}

/** Returns the examples of a subject that networks are trained on. */
function trainedOn(subject: OpenedSubject | TrainingSubject, on: string | undefined): DataSet {
  if ("training" in subject) return subject.training;
  return on === undefined ? subject.data : entry(subject.beside, on, "examples");
}

/** Returns the options that flags of another meaning give: seeds, and the second of two schedules. */
function severalValues(
  { seeds, otherSchedule }: Trains,
  flags: Partial<TrainingFlags>,
  { schedule }: FlaggedTraining,
): Readonly<Record<string, unknown>> {
  const numbers = new Map<string, unknown>(Object.entries(flags));
  const numberOf = ({ flag }: Pick<NonNullable<typeof seeds>, "flag">) =>
    Number(numbers.get(toAttribute(flag)));
  const { seed: first = 0 } = flags;
  return {
    ...(seeds && { [seeds.option]: Array.from({ length: numberOf(seeds) }, (_, index) => first + index) }),
    ...(otherSchedule && {
      [otherSchedule.option]: schedule,
      schedule: { ...schedule, learningRate: numberOf(otherSchedule) },
    }),
  };
}
