import type { DataSet, Graph } from "@isthmus/graph";
import { formatCount } from "@isthmus/report";
import { countBatchNorms, type StatisticsPolicy } from "@isthmus/statistics";

/** What was done about the statistics of batch norms. */
export interface DoneStatistics {
  readonly statistics: StatisticsPolicy;
  /** Name of the examples they were measured on. */
  readonly statisticsData?: string | undefined;
  readonly statisticsExamples?: number | undefined;
}

/** Networks whose statistics are corrected on the way from one network to another. */
export const BETWEEN = "between A and B, which keep their own,";

/**
 * Says in one line what was done about the running statistics of batch norms between networks.
 * @param of - the networks whose statistics they are
 * @returns an empty text for networks without batch norms
 */
export function formatStatistics(
  graph: Graph,
  { statistics, statisticsData, statisticsExamples }: DoneStatistics,
  of = "of every network",
): string {
  const count = countBatchNorms(graph);
  if (count === 0) return "";
  const norms = count === 1 ? "1 batch norm" : `${count} batch norms`;
  if (statistics === "keep")
    return `${norms}: statistics are averaged as they are, as --statistics keep says`;
  const action = statistics === "recalibrate" ? "measured anew" : "repaired, as all layers";
  const examples = statisticsExamples === undefined ? "" : `, ${formatCount(statisticsExamples)} examples`;
  const where = statisticsData === undefined ? "" : ` on ${statisticsData}${examples}`;
  return `${norms}: statistics ${of} are ${action}${where}; --statistics keep leaves them as they are`;
}

/** Returns the name and the number of the examples that statistics were measured on. */
export function measuredOn({ name, size }: DataSet): Omit<DoneStatistics, "statistics"> {
  return { statisticsData: name, statisticsExamples: size };
}
