import type { Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, type Value } from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";
import { type Rewriting, startRewriting } from "./graph-rewriting.ts";
import type { MaskInput } from "./mask-input.ts";
import { type BatchStatistic, trainBatchNorm } from "./train-batch-norm.ts";
import { trainDropout } from "./train-dropout.ts";

/** A graph in training mode. */
export interface TrainingMode {
  /**
   * Typed; its outputs are the outputs of the inference graph, then one for every running statistic that
   * changes.
   */
  readonly graph: Graph;
  /** Output that holds the next value of each running statistic, by the weight that holds the last value. */
  readonly statistics: ReadonlyMap<string, string>;
  /** Data inputs that dropout needs. */
  readonly masks: readonly MaskInput[];
}

/**
 * Turns a graph for inference into one for training.
 *
 * Batch norms normalise by the mean and the population variance of the batch (`training_mode = 1`), and their
 * running statistics move towards the batch's: `next = momentum last + (1 - momentum) batch`, with the node's
 * momentum (by default 0.9, which PyTorch calls 0.1) and the unbiased variance, as PyTorch does. Dropout
 * multiplies by a mask, a new data input.
 *
 * @param graph - typed, as `specialize` makes it, of operator set 14 or later if it has batch norms
 * @throws MismatchError if the graph is not typed, two norms share their statistics, or a batch has only one
 *   value a channel
 * @throws UnsupportedError if the statistics of a norm or the ratio of a dropout are computed
 */
export function toTrainingMode(graph: Graph): TrainingMode {
  const rewriting = startRewriting(graph, typesOf(graph));
  const statistics: BatchStatistic[] = [];
  const masks: MaskInput[] = [];
  for (const node of graph.nodes) {
    if (node.op === "BatchNormalization") statistics.push(...trainBatchNorm(rewriting, node));
    else if (node.op === "Dropout") masks.push(...trainDropout(rewriting, node));
    else rewriting.nodes.push(node);
  }
  return { ...withStatistics(graph, rewriting, statistics), masks };
}

/** Adds the nodes that compute the next running statistics. */
function withStatistics(
  graph: Graph,
  { nodes, inputs, types }: Rewriting,
  statistics: readonly BatchStatistic[],
): Omit<TrainingMode, "masks"> {
  const builder = GraphBuilder.from({ ...graph, nodes, inputs, types });
  const next = statistics.map(({ weight, batch, momentum, correction }): [string, Value] => [
    weight,
    add(mul(builder.value(weight), momentum), mul(builder.value(batch), (1 - momentum) * correction)),
  ]);
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  return {
    graph: builder.build([...outputs, ...next.map(([, value]) => value)]),
    statistics: new Map(next.map(([weight, { name }]) => [weight, name])),
  };
}
