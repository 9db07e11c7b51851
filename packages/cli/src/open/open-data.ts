import { UsageError } from "@isthmus/core";
import type { DataSet, Graph, Scaling } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import {
  type DataContext,
  type ExamplesReading,
  type MeasuredExamples,
  openExamples as open,
  openMeasuredExamples,
  openUnscoredExamples,
} from "@isthmus/zoo";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseChannels } from "../options/parse-values.ts";
import { noteData } from "../result/fed-data.ts";

/**
 * Options for the scale of bytes, if not the usual one of the data set: for all channels, or one for each.
 */
export type ScalingOptions = {
  readonly mean?: Scaling["mean"] | undefined;
  readonly std?: Scaling["std"] | undefined;
};

/** Adds the options for the scale of bytes. */
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
  /** Name of the examples that statistics are measured on; if it is missing, see {@link openUnscored}. */
  readonly recalibrateData?: string | undefined;
  /** Number of these examples that are used, from the first. */
  readonly recalibrateExamples?: number | undefined;
};

/** Options of verbs that may fit a temperature to the examples for statistics, too. */
type FittedOptions = DataOptions & {
  /** Whether a temperature is fitted: then networks must not have been trained on these examples. */
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

/** Opens a data set for an architecture, and notes the scale of its bytes, for the record of the result. */
export async function openScaled(
  name: string,
  scaling: Scaling | undefined,
  context: DataContext,
): Promise<DataSet> {
  return open(name, context, { scaling, onOpen: noteData });
}

/**
 * Opens the examples to evaluate on and, if options name others for statistics of activations, these, too.
 */
export async function openData(options: FittedOptions, context: DataContext): Promise<MeasuredExamples> {
  return openMeasuredExamples(namesOf(options), context);
}

/**
 * Opens the examples that statistics of networks are measured on if the options name none: training examples
 * that belong to the evaluated ones.
 * @returns undefined if there are none, or nothing is measured: the networks have no norms, or keep theirs
 */
export async function openUnscoredFor(
  graph: Graph,
  options: FittedOptions,
  reading: { readonly context: DataContext; readonly statistics: StatisticsChoice },
): Promise<DataSet | undefined> {
  return openUnscoredExamples(graph, namesOf(options), reading);
}

/** Returns the options of the library for reading examples in place of `--mean` and `--std`. */
export function namesOf<T extends ScalingOptions>({
  mean,
  std,
  ...names
}: T): Omit<T, keyof ScalingOptions> & ExamplesReading {
  return { ...names, scaling: scalingOf({ mean, std }), onOpen: noteData };
}

/**
 * Returns the scale of bytes by the options; undefined for the usual one of the data set.
 * @throws UsageError if only one of the two numbers is given
 */
export function scalingOf({ mean, std }: Pick<DataOptions, "mean" | "std">): Scaling | undefined {
  if (mean === undefined && std === undefined) return undefined;
  if (mean === undefined || std === undefined) {
    throw new UsageError(
      `Cannot scale the data as --mean and --std belong together: got only ${mean === undefined ? "--std" : "--mean"}`,
    );
  }
  return { mean, std };
}
