import { type DataSet, fingerprintData, fingerprintGraph, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES, type StatisticsPolicy } from "@isthmus/statistics";
import type { JournalRun } from "@isthmus/tasks";
import type { EvaluatedArchitecture } from "./create-corrected-evaluator.ts";

/**
 * Describes the settings of a measurement, so that they can be compared with another measurement; graph and
 * data are described by fingerprints.
 */
export function describeMeasurement(
  { graph, engine, data }: EvaluatedArchitecture,
  {
    statistics,
    statisticsData = limitExamples("describe a measurement", data, STATISTICS_EXAMPLES),
    batchSize,
  }: {
    readonly statistics: StatisticsPolicy;
    readonly statisticsData?: DataSet | undefined;
    readonly batchSize: number;
  },
): JournalRun {
  const statisticsRun = {
    statisticsData: fingerprintData(statisticsData),
    statisticsExamples: statisticsData.size,
  };
  return {
    graph: fingerprintGraph(graph),
    engine: engine.name,
    data: fingerprintData(data),
    examples: data.size,
    statistics,
    ...(statistics === "keep" ? {} : statisticsRun),
    batchSize,
  };
}
