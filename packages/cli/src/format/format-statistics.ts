import { formatCount } from "@isthmus/findings";
import type { DataSet, Graph } from "@isthmus/graph";
import { countBatchNorms, type StatisticsPolicy } from "@isthmus/statistics";

/** Correction of the statistics of batch norms that took place. */
export interface DoneStatistics {
  /** Policy by which statistics were corrected; `keep` if they were not. */
  readonly statistics: StatisticsPolicy;
  /** Name of the examples that statistics were measured on. */
  readonly statisticsData?: string | undefined;
  /** Number of examples that statistics were measured on; absent if none were. */
  readonly statisticsExamples?: number | undefined;
  /** Name of the examples that networks are scored on; undefined to say nothing about them. */
  readonly data?: string | undefined;
}

/** Networks whose statistics are corrected on the way from one network to another. */
export const BETWEEN = "between A and B, which keep their own,";

/** Networks that are all corrected alike. */
export const EVERY_NETWORK = "of every network";

/**
 * Describes in one line the correction of the running statistics of batch norms between networks.
 * @param of - words for the networks whose statistics they are
 * @returns an empty text for networks without batch norms
 */
export function formatStatistics(
  graph: Graph,
  { statistics, statisticsData, statisticsExamples, data }: DoneStatistics,
  of: string = EVERY_NETWORK,
): string {
  const count = countBatchNorms(graph);
  if (count === 0) return "";
  const norms = count === 1 ? "1 batch norm" : `${count} batch norms`;
  if (statistics === "keep")
    return `${norms}: statistics are averaged as they are, as --statistics keep says`;
  const action = statistics === "recalibrate" ? "measured anew" : "repaired, as all layers";
  const examples = statisticsExamples === undefined ? "" : `, ${formatCount(statisticsExamples)} examples`;
  const scored = isPartOf(statisticsData, data)
    ? ", which are scored, too (--recalibrate-data names others)"
    : "";
  const where = statisticsData === undefined ? "" : ` on ${statisticsData}${examples}${scored}`;
  return `${norms}: statistics ${of} are ${action}${where}; --statistics keep leaves them as they are`;
}

/** Checks whether some examples are the first, or all, of others, by their names. */
function isPartOf(some: string | undefined, all: string | undefined): boolean {
  if (some === undefined || all === undefined) return false;
  const sourceOf = (name: string) => name.replace(/@\d+$/, "");
  return sourceOf(some) === sourceOf(all);
}

/**
 * Explains in one line how to write a network half-way between A and B, of the same loss, into a file: by the
 * command that merges, which averages statistics unless it has examples to measure them on.
 * @returns an empty text for networks without batch norms
 */
export function formatMerge(graph: Graph, { statistics, statisticsData }: DoneStatistics): string {
  if (countBatchNorms(graph) === 0) return "";
  if (statistics === "keep") {
    return "isthmus merge writes the network half-way unless --data is given, with which it measures statistics anew";
  }
  const policy = statistics === "recalibrate" ? "" : ` --statistics ${statistics}`;
  return `isthmus merge writes the network half-way with --data ${statisticsData}${policy}; without, it averages statistics, and the loss is another`;
}

/** Returns the name and the number of the examples that statistics were measured on. */
export function measuredOn({ name, size }: DataSet): Omit<DoneStatistics, "statistics"> {
  return { statisticsData: name, statisticsExamples: size };
}
