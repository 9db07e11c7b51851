import type { Checkpoint } from "@isthmus/core";
import { type DataSet, type Engine, type Graph, limitExamples } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";

/** Architecture, with the data on which batch norms are measured. */
export interface NormMeasurement {
  /** Graph of the network, whose batch norms are measured. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Data set that batch norms are measured on. */
  readonly data: DataSet;
  /** Number of examples to use, the first ones. */
  readonly examples: number;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a network with the statistics of its batch norms measured on the first examples;
 * unchanged if it has no batch norms.
 */
export async function measureNorms(
  { graph, engine, data, examples, signal }: NormMeasurement,
  network: Checkpoint,
): Promise<Checkpoint> {
  if (!graph.nodes.some(({ op }) => op === "BatchNormalization")) return network;
  const measured = limitExamples("measure batch norms", data, examples);
  return recalibrateBatchNorm({ graph, engine }, network, measured, { signal });
}
