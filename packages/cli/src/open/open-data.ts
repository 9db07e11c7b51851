import { UsageError } from "@isthmus/core";
import type { Scaling } from "@isthmus/graph";
import type { ExamplesReading } from "@isthmus/zoo";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseChannels } from "../options/parse-values.ts";
import { noteData } from "../result/fed-data.ts";

/**
 * Options for the scale of bytes, if not the usual one of the data set: for all channels, or one for each.
 */
export type ScalingOptions = {
  /**
   * Mean that is subtracted from `byte / 255`, one number or one for each channel.
   * @defaultValue the usual mean of the data set
   */
  readonly mean?: Scaling["mean"] | undefined;
  /**
   * Divisor after the subtraction, one number or one for each channel.
   * @defaultValue the usual divisor of the data set
   */
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
  /** Name of the examples to measure on. */
  readonly data: string;
  /** Name of the examples that statistics are measured on. @defaultValue training examples of `data` */
  readonly recalibrateData?: string | undefined;
  /** Number of these examples that are used, from the first. */
  readonly recalibrateExamples?: number | undefined;
};

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
