import type { Checkpoint } from "@isthmus/core";
import type { DataSet, LossFields } from "@isthmus/graph";
import type { StatisticsPolicy } from "@isthmus/statistics";

/** Names of what a result about two networks was measured on. */
export interface MeasuredPair extends LossFields {
  /** Number of examples that were evaluated at each place. */
  readonly examples: number;
  /** Name of these examples. */
  readonly data: string;
  /** Source of the first network. */
  readonly a: string;
  /** Source of the second network. */
  readonly b: string;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

/** Names of what a barrier was measured on, with the treatment of statistics. */
export interface PairOrigin extends MeasuredPair {
  /** Treatment of the statistics of activations between the networks. */
  readonly statistics: StatisticsPolicy;
  /** Name of the examples on which statistics were measured; absent if statistics were kept. */
  readonly statisticsData?: string;
  /** Number of examples on which statistics were measured. */
  readonly statisticsExamples?: number;
}

/** Returns the fields by which a result records its statistics, examples and networks. */
export function pairOrigin(
  {
    statistics,
    statisticsData,
  }: Pick<PairOrigin, "statistics"> & { readonly statisticsData?: DataSet | undefined },
  { data, a, b }: { readonly data: DataSet; readonly a: Checkpoint; readonly b: Checkpoint },
): Omit<PairOrigin, "engine" | keyof LossFields> {
  return {
    statistics,
    ...(statisticsData && { statisticsData: statisticsData.name, statisticsExamples: statisticsData.size }),
    examples: data.size,
    data: data.name,
    a: a.source,
    b: b.source,
  };
}
