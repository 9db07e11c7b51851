import type { Tensor } from "@isthmus/core";
import { type DataSet, type Engine, type Graph, limitExamples } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";

/** What norms are measured by. */
export interface NormMeasurement {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  /** Examples, the first ones, that are enough. */
  readonly examples: number;
  readonly signal?: AbortSignal | undefined;
}

/** The weights of a network, the statistics of its batch norms measured on the first examples; as they are where it has none. */
export async function measureNorms(
  { graph, engine, data, examples, signal }: NormMeasurement,
  weights: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> {
  if (!graph.nodes.some(({ op }) => op === "BatchNormalization")) return weights;
  const measured = limitExamples("measure batch norms", data, examples);
  return recalibrateBatchNorm({ graph, engine, weights }, measured, signal === undefined ? {} : { signal });
}
