import { UsageError } from "@isthmus/core";
import { mayBeText, openDataSet, openTrainingSplit } from "@isthmus/data";
import { type DataSet, type Graph, limitExamples, type Scaling } from "@isthmus/graph";
import { countBatchNorms, STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import { type DataContext, openTokenizer } from "@isthmus/zoo";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseChannels } from "../options/parse-values.ts";
import { noteData } from "../result/fed-data.ts";

/**
 * Options that say how bytes are scaled, if not as usual for the data set: for all channels, or one for each.
 */
export type ScalingOptions = {
  readonly mean?: Scaling["mean"] | undefined;
  readonly std?: Scaling["std"] | undefined;
};

/** Adds the options that say how bytes are scaled. */
export const addScalingOptions: AddOptions<ScalingOptions> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.reading)
    .option(
      "--mean <m>",
      "with --std: feed (byte / 255 - mean) / std, with one number or one for each channel, such as .4914,.4822,.4465 (default: as usual for the data)",
      parseChannels,
    )
    .option("--std <s>", "see --mean", parseChannels);
});

/** Options that name the data of a verb. */
export type DataOptions = ScalingOptions & {
  readonly data: string;
  /** Name of the examples that statistics are measured on; see {@link openUnscored} if it is missing. */
  readonly recalibrateData?: string | undefined;
  /** Number of these examples that are used, from the first. */
  readonly recalibrateExamples?: number | undefined;
};

/** Options of verbs that may fit a temperature to the examples for statistics, too. */
type FittedOptions = DataOptions & {
  /** Whether they do: then these examples must be none that networks were trained on. */
  readonly temperature?: true | undefined;
};

/** Opens a data set for an architecture, with bytes scaled as the options say. */
export async function openExamples(
  name: string,
  options: ScalingOptions,
  context: DataContext,
): Promise<DataSet> {
  return openScaled(name, scalingOf(options), context);
}

/**
 * Opens a data set for an architecture, a text with the tokenizer of its model.
 * @throws InputError if it is a text, and the model's tokenizer cannot be read
 */
export async function openScaled(
  name: string,
  scaling: Scaling | undefined,
  { tokenizedBy, ...context }: DataContext,
): Promise<DataSet> {
  const isEncoded = tokenizedBy !== undefined && mayBeText(name);
  const encode = isEncoded ? await openTokenizer(tokenizedBy) : undefined;
  const data = await openDataSet(name, { scaling, encode, ...context });
  noteData(data);
  return data;
}

/**
 * Opens the examples to evaluate on and, if the options name others, the examples to measure statistics on.
 */
export async function openData(
  options: FittedOptions,
  context: DataContext,
): Promise<{ readonly data: DataSet; readonly statisticsData: DataSet | undefined }> {
  const data = await openExamples(options.data, options, context);
  const { recalibrateData, recalibrateExamples } = options;
  if (recalibrateData === undefined && recalibrateExamples === undefined) {
    return { data, statisticsData: undefined };
  }
  return { data, statisticsData: await openStatisticsData(options, context) };
}

/**
 * Opens the training examples that belong to the evaluated ones, so that statistics are not measured on what
 * is scored.
 * @param examples - how many, from the first
 * @returns undefined if there are none, or a temperature is fitted to the examples, too
 */
async function openUnscored(
  options: FittedOptions,
  context: DataContext,
  examples: number,
): Promise<DataSet | undefined> {
  const { tokenizedBy, ...read } = context;
  if (options.temperature || tokenizedBy !== undefined) return undefined;
  return openTrainingSplit(options.data, examples, { scaling: scalingOf(options), ...read });
}

/**
 * Opens the examples that statistics of networks are measured on if the options name none: training examples
 * that belong to the evaluated ones.
 * @returns undefined if there are none, or nothing is measured: the networks have no norms, or keep theirs
 */
export async function openUnscoredFor(
  graph: Graph,
  options: FittedOptions,
  { context, statistics }: { readonly context: DataContext; readonly statistics: StatisticsChoice },
): Promise<DataSet | undefined> {
  const ofNorms = statistics === "auto" || statistics === "recalibrate";
  const isMeasured = ofNorms ? countBatchNorms(graph) > 0 : statistics !== "keep";
  return isMeasured ? openUnscored(options, context, STATISTICS_EXAMPLES) : undefined;
}

/**
 * Opens the examples to measure statistics on: `recalibrateData` if it is given, else the training examples
 * that belong to `data`, else `data`.
 */
async function openStatisticsData(options: FittedOptions, context: DataContext = {}): Promise<DataSet> {
  const { data, recalibrateData = data, recalibrateExamples } = options;
  const unscored =
    options.recalibrateData === undefined
      ? await openUnscored(options, context, recalibrateExamples ?? STATISTICS_EXAMPLES)
      : undefined;
  if (unscored !== undefined && unscored.size >= (recalibrateExamples ?? 0)) return unscored;
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
 * Returns how the options scale bytes; undefined if they are scaled as usual for the data set.
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
