import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at, UsageError } from "@isthmus/core";
import type { AnyMeasurement, MeasurementEntry } from "@isthmus/findings";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { Command } from "commander";
import { addStatisticsDataOptions } from "../options/norm-options.ts";
import { addBesideOptions } from "./beside-options.ts";
import { addFieldOptions, wordsOf } from "./field-options.ts";
import { flaggedFields } from "./training-flags.ts";

/** One way of a command to measure: a measurement, and its entry in the list of measurements. */
export interface Way {
  /**
   * Entry of the measurement in the list, with its verb, its summary and the option that chooses this way.
   */
  readonly entry: MeasurementEntry;
  /** The loaded measurement, whose options the command gets. */
  readonly measurement: AnyMeasurement;
}

/** Options of the ways of a command, and the ways that have each of them. */
interface WayOptions {
  /** Each option once, by its flag. */
  readonly options: readonly Option[];
  /** Ways that have an option of a flag, such as `--moves`. */
  readonly waysOf: ReadonlyMap<string, readonly Way[]>;
}

/**
 * Adds the options of every way to a command, each once, and an option that chooses among them if there are
 * several. Options that the command has already keep their meaning.
 */
export function addWayOptions(command: CommandUnknownOpts, ways: readonly Way[]): void {
  const [first] = ways.flatMap(({ entry: { way } }) => (way === undefined ? [] : [way]));
  if (first !== undefined) {
    const values = ways.flatMap(({ entry: { way } }) => (way === undefined ? [] : [way.value]));
    const option = new Option(`--${first.flag} <way>`, ways.map(helpOf).join("; "));
    command.addOption(option.choices(values).default(first.value));
  }
  for (const option of gatherOptions(ways).options) {
    if (!command.options.some(({ long }) => long === option.long)) command.addOption(option);
  }
}

const helpOf = ({ entry: { way } }: Way): string => (way === undefined ? "" : `${way.value}: ${way.help}`);

/**
 * Returns the way that a command line chooses.
 * @throws UsageError if it names an option that only other ways have
 */
export function chooseWay(command: CommandUnknownOpts, ways: readonly Way[]): Way {
  const chosen = ways.find(({ entry: { way } }) => way && command.getOptionValue(way.flag) === way.value);
  const way = chosen ?? at(ways, 0, "way");
  for (const [flag, owners] of gatherOptions(ways).waysOf) {
    const option = command.options.find(({ long }) => long === flag);
    const isNamed = option && command.getOptionValueSource(option.attributeName()) === "cli";
    if (!isNamed || owners.includes(way)) continue;
    const others = owners.map(flagOf).join(" or ");
    throw new UsageError(
      `Cannot ${way.measurement.attempt} as ${flag} belongs to ${others}: ask for that, or leave ${flag} out`,
    );
  }
  return way;
}

/** Returns the option by which a command line chooses a way, such as `--by walk`. */
const flagOf = ({ entry: { way } }: Way): string => (way === undefined ? "" : `--${way.flag} ${way.value}`);

function gatherOptions(ways: readonly Way[]): WayOptions {
  const waysOf = new Map<string, Way[]>();
  const options = new Map<string, Option>();
  for (const way of ways) {
    for (const option of optionsOf(way.measurement)) {
      const flag = String(option.long);
      const earlier = options.get(flag);
      if (earlier === undefined) options.set(flag, option);
      else sayDefaults(earlier, option, way);
      waysOf.set(flag, [...(waysOf.get(flag) ?? []), way]);
    }
  }
  for (const [flag, owners] of waysOf) {
    const option = options.get(flag);
    if (option === undefined || owners.length === ways.length) continue;
    option.description = `of ${owners.map(flagOf).join(" or ")}: ${option.description}`;
  }
  return { options: [...options.values()], waysOf };
}

/** Adds to the help of an option that several ways share its default in each, if the defaults differ. */
function sayDefaults(option: Option, other: Option, way: Way): void {
  const [own, another] = [option, other].map(({ defaultValue }) => wordsOf(defaultValue));
  if (own === another) return;
  option.description += ` (default: ${own}; of ${flagOf(way)}: ${another})`;
  option.default(undefined);
}

/** Makes the options of one measurement. */
function optionsOf(measurement: AnyMeasurement): readonly Option[] {
  const { options, journal, networks, makes, trains } = measurement;
  const command = new Command() as CommandUnknownOpts;
  addFieldOptions(command, flaggedFields(measurement));
  addBesideOptions(command, measurement);
  if ("statistics" in options)
    addStatisticsDataOptions(
      command,
      trains?.on === undefined ? undefined : `the first ${STATISTICS_EXAMPLES} of --data`,
    );
  if (networks !== undefined) command.option("--networks <folder>", networks);
  if (journal !== undefined && makes === undefined) {
    const place = journal.isFolder ? "folder" : "file";
    command.option(
      `--journal <${place}>`,
      `keep ${journal.keeps} in this ${place}, and go on from it after an interruption`,
    );
  }
  return command.options;
}
