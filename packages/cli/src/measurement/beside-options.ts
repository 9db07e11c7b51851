import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import type { AnyMeasurement, ExamplesBeside } from "@isthmus/findings";
import type { DataSet, Scaling } from "@isthmus/graph";
import { type DataContext, nameTrainingSplit } from "@isthmus/zoo";
import { type DataOptions, openScaled } from "../open/open-data.ts";
import { toAttribute, toFlag } from "./flag-names.ts";

const flagOf = (name: string, { flag }: ExamplesBeside): string => flag ?? toFlag(name);

/** Lists further examples with their names, without the ones to train on, which `--data` names. */
function listBeside({
  examplesBeside = {},
  trains,
}: AnyMeasurement): readonly (readonly [string, ExamplesBeside])[] {
  return Object.entries(examplesBeside).filter(([name]) => name !== trains?.on);
}

/** Adds the options that name the further examples of a measurement. */
export function addBesideOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  for (const [name, examples] of listBeside(measurement)) {
    command.option(`--${flagOf(name, examples)} <name>`, examples.help);
  }
}

/**
 * Opens the further examples that a measurement asks for, with bytes scaled like the ones to measure on.
 * @throws UsageError if it needs some that have no default and are not named
 */
export async function openBeside(
  measurement: AnyMeasurement,
  flags: DataOptions & Readonly<Record<string, unknown>>,
  { context, scaling }: { readonly context: DataContext; readonly scaling: Scaling | undefined },
): Promise<Map<string, DataSet>> {
  const opened = new Map<string, DataSet>();
  for (const [name, examples] of listBeside(measurement)) {
    const flag = flagOf(name, examples);
    const said = flags[toAttribute(flag)];
    const source =
      said ?? (examples.default === "training-split" ? await nameTrainingSplit(flags.data) : undefined);
    if (typeof source === "string") opened.set(name, await openScaled(source, scaling, context));
    else if (examples.default !== undefined) throw missingExamples(measurement.attempt, flag);
  }
  return opened;
}

function missingExamples(attempt: string, flag: string): UsageError {
  return new UsageError(
    `Cannot ${attempt} as it needs further examples, and --data has no training split: name examples by --${flag}`,
  );
}
