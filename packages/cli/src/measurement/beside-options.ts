import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { AnyMeasurement } from "@isthmus/findings";
import { flagOfBeside, listBeside } from "@isthmus/measurements/open";
import { toAttribute } from "./flag-names.ts";

/** Adds the options that name the further examples of a measurement. */
export function addBesideOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  for (const [name, examples] of listBeside(measurement)) {
    command.option(`--${flagOfBeside(name, examples)} <name>`, examples.help);
  }
}

/** Returns the names of further examples that options of a command give, by the names of the library. */
export function besideOf(
  measurement: AnyMeasurement,
  flags: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    listBeside(measurement).map(([name, examples]) => {
      const source = flags[toAttribute(flagOfBeside(name, examples))];
      return [name, typeof source === "string" ? source : undefined] as const;
    }),
  );
}
