import { type DataSet, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { DataContext } from "@isthmus/zoo";
import { type DataOptions, openData } from "./open-data.ts";

/** Examples to measure networks on. */
export interface MeasuredData {
  readonly data: DataSet;
  /** Examples that statistics of activations are measured on. */
  readonly statisticsData: DataSet;
}

/**
 * Opens the examples to evaluate on, and the examples to measure statistics on: the first of the evaluated
 * ones if the options name no others.
 * @param change - is applied to each data set that is opened
 */
export async function openMeasured(
  options: DataOptions,
  context: DataContext,
  change: (data: DataSet) => DataSet = (data) => data,
): Promise<MeasuredData> {
  const opened = await openData(options, context);
  const data = change(opened.data);
  if (opened.statisticsData !== undefined) return { data, statisticsData: change(opened.statisticsData) };
  return { data, statisticsData: limitExamples("measure statistics", data, STATISTICS_EXAMPLES) };
}
