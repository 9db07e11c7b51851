import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { NORM_POLICIES, type NormPolicy, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { parseCount } from "./parse-values.ts";

/** What a verb that measures networks which are no averages of two is told of batch norms; an alias, as commander wants it. */
export type NormOptions = {
  readonly statistics: NormPolicy;
  readonly recalibrateData?: string | undefined;
  readonly recalibrateExamples?: number | undefined;
};

/**
 * Adds the options of what is done about batch norms.
 * @param data - what statistics are measured on where nothing is said, for example `those of --data`
 */
export function addNormOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
  data: string,
): Command<A, O & NormOptions> {
  (command as CommandUnknownOpts)
    .addOption(
      new Option("--statistics <policy>", "whether batch norms are measured anew in every network")
        .choices(NORM_POLICIES)
        .default("recalibrate"),
    )
    .option("--recalibrate-data <name>", `measure statistics on these examples (default: ${data})`)
    .option(
      "--recalibrate-examples <n>",
      `only on the first n of them (default: ${STATISTICS_EXAMPLES})`,
      parseCount(1),
    );
  return command as unknown as Command<A, O & NormOptions>;
}

/**
 * Checks that statistics are measured anew where examples for that are named.
 * @throws UsageError if not
 */
export function assertNotKept({
  statistics,
  recalibrateData,
  recalibrateExamples,
}: Partial<Omit<NormOptions, "statistics">> & { readonly statistics?: string | undefined }): void {
  if (statistics !== "keep" || (recalibrateData === undefined && recalibrateExamples === undefined)) return;
  throw new UsageError(
    "Cannot recalibrate as --statistics keep leaves the statistics as they are: got --recalibrate options, too",
  );
}
