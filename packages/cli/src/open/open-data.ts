import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import { InputError, UsageError } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { type DataSet, limitExamples, type Scaling } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { DataContext } from "@isthmus/zoo";
import { parseNumber } from "../options/parse-values.ts";

/** How bytes are scaled, if not as usual for the data set; an alias, as commander wants it. */
export type ScalingOptions = {
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
};

/** Adds the options of how bytes are scaled. */
export function addScalingOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & ScalingOptions> {
  (command as CommandUnknownOpts)
    .option(
      "--mean <m>",
      "with --std: feed (byte / 255 - mean) / std (default: as usual for the data)",
      parseNumber,
    )
    .option("--std <s>", "see --mean", parseNumber);
  return command as unknown as Command<A, O & ScalingOptions>;
}

/** What the user said of the data; an alias, as commander wants it. */
export type DataOptions = ScalingOptions & {
  readonly data: string;
  /** Examples that statistics of activations are measured on; the evaluated ones if missing. */
  readonly recalibrateData?: string | undefined;
  /** Only as many of them, from the first. */
  readonly recalibrateExamples?: number | undefined;
};

/**
 * Opens a data set with bytes scaled as the user said, as an architecture wants it.
 * @throws InputError if it is a text, and the model has tokens that are not characters
 */
export async function openExamples(
  name: string,
  options: ScalingOptions,
  { tokenizedBy, ...context }: DataContext,
): Promise<DataSet> {
  if (tokenizedBy !== undefined && name.startsWith("text:")) {
    throw new InputError(
      `Cannot open "${name}" for model "${tokenizedBy}" as a text is taken by characters, and the model's tokens are others: encode it with the model's tokenizer, and give the ids as npz:FILE or safetensors:FILE with "input_ids" [N, length]`,
      { input: name },
    );
  }
  return openDataSet(name, { scaling: scalingOf(options), ...context });
}

/** Opens the examples to evaluate on and, if others are wanted, those to measure statistics on. */
export async function openData(
  options: DataOptions,
  context: DataContext,
): Promise<{ readonly data: DataSet; readonly statisticsData: DataSet | undefined }> {
  const data = await openExamples(options.data, options, context);
  const { recalibrateData, recalibrateExamples } = options;
  if (recalibrateData === undefined && recalibrateExamples === undefined) {
    return { data, statisticsData: undefined };
  }
  return { data, statisticsData: await openStatisticsData(options, context) };
}

/** Opens the examples to measure statistics on: those named for it, else those of `data`. */
export async function openStatisticsData(options: DataOptions, context: DataContext = {}): Promise<DataSet> {
  const { data, recalibrateData = data, recalibrateExamples } = options;
  const whole = recalibrateData.replace(/@\d+$/, "");
  if (recalibrateExamples !== undefined) {
    return openExamples(`${whole}@${recalibrateExamples}`, options, context);
  }
  const examples = await openExamples(recalibrateData, options, context);
  return whole === recalibrateData
    ? limitExamples("measure statistics", examples, STATISTICS_EXAMPLES)
    : examples;
}

/**
 * How bytes are scaled, if not as usual for the data set.
 * @throws UsageError if only one of the two numbers is given
 */
function scalingOf({ mean, std }: Pick<DataOptions, "mean" | "std">): Scaling | undefined {
  if (mean === undefined && std === undefined) return undefined;
  if (mean === undefined || std === undefined) {
    throw new UsageError(
      `Cannot scale the data as --mean and --std belong together: got only ${mean === undefined ? "--std" : "--mean"}`,
    );
  }
  return { mean, std };
}
