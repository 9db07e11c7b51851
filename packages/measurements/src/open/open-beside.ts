import { UsageError } from "@isthmus/core";
import type { AnyMeasurement, ExamplesBeside } from "@isthmus/findings";
import type { DataSet, Scaling } from "@isthmus/graph";
import { type DataContext, nameTrainingSplit, openExamples } from "@isthmus/zoo";
import type { SharedOptions } from "./subject-options.ts";

/** Lists further examples with their names, without the ones to train on, which `data` names. */
export function listBeside({
  examplesBeside = {},
  trains,
}: AnyMeasurement): readonly (readonly [string, ExamplesBeside])[] {
  return Object.entries(examplesBeside).filter(([name]) => name !== trains?.on);
}

/** Returns the name of the option of a command line for further examples: `select-data`. */
export const flagOfBeside = (name: string, { flag }: ExamplesBeside): string =>
  flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * Opens the further examples that a measurement asks for, with bytes scaled like the ones to measure on.
 * @throws UsageError if it needs some that have no default and are not named
 */
export async function openBeside(
  measurement: AnyMeasurement,
  { data, beside = {}, onOpen }: Pick<SharedOptions, "data" | "beside" | "onOpen">,
  { context, scaling }: { readonly context: DataContext; readonly scaling: Scaling | undefined },
): Promise<Map<string, DataSet>> {
  const stranger = Object.keys(beside).find((name) => !listBeside(measurement).some(([one]) => one === name));
  if (stranger !== undefined)
    throw new UsageError(
      `Cannot ${measurement.attempt} on further examples "${stranger}" as it must ask for them: it asks for ${
        listBeside(measurement)
          .map(([name]) => `"${name}"`)
          .join(", ") || "none"
      }`,
    );
  const opened = new Map<string, DataSet>();
  for (const [name, examples] of listBeside(measurement)) {
    const source =
      beside[name] ?? (examples.default === "training-split" ? await nameTrainingSplit(data) : undefined);
    if (source !== undefined) opened.set(name, await openExamples(source, context, { scaling, onOpen }));
    else if (examples.default !== undefined)
      throw missingExamples(measurement.attempt, flagOfBeside(name, examples));
  }
  return opened;
}

function missingExamples(attempt: string, flag: string): UsageError {
  return new UsageError(
    `Cannot ${attempt} as it needs further examples, and --data has no training split: name examples by --${flag}`,
  );
}
