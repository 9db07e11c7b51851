import { openDataSet } from "@isthmus/engine";
import type { DataSet, Scaling } from "@isthmus/graph";

/** How bytes are scaled, if not as usual for the data set. */
export interface ScalingOptions {
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
}

/** What the user said of the data. */
export interface DataOptions extends ScalingOptions {
  readonly data: string;
  /** Examples that statistics of activations are measured on; the evaluated ones if missing. */
  readonly recalibrateData?: string | undefined;
  /** Only as many of them, from the first. */
  readonly recalibrateExamples?: number | undefined;
}

/** Opens the examples to evaluate on and, if others are wanted, those to measure statistics on. */
export async function openData(
  options: DataOptions,
): Promise<{ readonly data: DataSet; readonly statisticsData: DataSet | undefined }> {
  const scaling = scalingOf(options);
  const data = await openDataSet(options.data, { scaling });
  const { recalibrateData, recalibrateExamples } = options;
  if (recalibrateData === undefined && recalibrateExamples === undefined) {
    return { data, statisticsData: undefined };
  }
  const name = limitExamples(recalibrateData ?? options.data, recalibrateExamples);
  return { data, statisticsData: await openDataSet(name, { scaling }) };
}

/**
 * How bytes are scaled, if not as usual for the data set.
 * @throws TypeError if only one of the two numbers is given
 */
export function scalingOf({ mean, std }: Pick<DataOptions, "mean" | "std">): Scaling | undefined {
  if (mean === undefined && std === undefined) return undefined;
  if (mean === undefined || std === undefined) {
    throw new TypeError(
      `Cannot scale the data as --mean and --std belong together: got only ${mean === undefined ? "--std" : "--mean"}`,
    );
  }
  return { mean, std };
}

/** The name of the first examples of a data set: `mnist:train` and 1000 are `mnist:train@1000`. */
function limitExamples(name: string, examples: number | undefined): string {
  return examples === undefined ? name : `${name.replace(/@\d+$/, "")}@${examples}`;
}
