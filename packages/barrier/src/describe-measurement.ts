import { type DataSet, fingerprintData, fingerprintGraph, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES, type StatisticsPolicy } from "@isthmus/statistics";
import type { EvaluatedArchitecture } from "./create-corrected-evaluator.ts";
import type { JournalRun } from "./journal.ts";

/** Describes how networks are measured, so that another measurement can be told from it; what is large by fingerprints. */
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
  const seen = { statisticsData: fingerprintData(statisticsData), statisticsExamples: statisticsData.size };
  return {
    graph: fingerprintGraph(graph),
    engine: engine.name,
    data: fingerprintData(data),
    examples: data.size,
    statistics,
    ...(statistics === "keep" ? {} : seen),
    batchSize,
  };
}
