import { at, formatShape, MismatchError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { exp, logSoftmax, mul, reduceMean, reduceSum } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { openLogits } from "./find-values.ts";

/**
 * Adds the entropy of a network's predictions to a graph: the mean over examples and positions of
 * `-sum p log p` with `p = softmax(logits)`, in nats. No label is needed.
 *
 * @see Yang et al., AdaMerging: adaptive model merging for multi-task learning (2023), section 3.2.2
 * @param typed - the graph, as `specialize` makes it
 * @throws MismatchError if the output has no classes along its last axis
 */
export function attachEntropy(typed: Graph): Pick<Objective, "graph" | "loss"> {
  const { graph, builder, logits } = openLogits(typed, undefined);
  const rank = logits.shape.length;
  if (rank < 2 || at(logits.shape, rank - 1, "axis of logits") < 2) {
    throw new MismatchError(
      `Cannot attach the entropy of predictions to graph "${graph.name}" as logits must be [..., classes] with 2 classes or more: "${logits.name}" is ${formatShape(logits.shape)}`,
      { parameters: [] },
    );
  }
  const logs = logSoftmax(logits);
  const entropy = mul(reduceMean(reduceSum(mul(exp(logs), logs), { axes: [-1] })), -1);
  const loss = builder.rename(entropy, unusedName(graph, "loss"));
  return { graph: builder.build([logits, loss]), loss: loss.name };
}
