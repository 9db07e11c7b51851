import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { parseCount } from "./parse-values.ts";

/** Words for the examples that statistics are measured on if none are named, for the help. */
export const UNSCORED = "the training examples that belong to --data if there are any, else --data";

/**
 * Adds the options on the examples that statistics are measured on, whose help names the default examples.
 */
export function addStatisticsDataOptions(command: CommandUnknownOpts, data: string = UNSCORED): void {
  command
    .option("--recalibrate-data <name>", `measure statistics on these examples (default: ${data})`)
    .option(
      "--recalibrate-examples <n>",
      `measure them on the first n examples only (default: ${STATISTICS_EXAMPLES})`,
      parseCount(1),
    );
}
