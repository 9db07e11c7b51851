import { at, formatShape, MismatchError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, logSoftmax, mul, reduceMean, reduceSum, sub, type Value } from "@isthmus/graph/builder";
import { unusedName } from "../unused-name.ts";
import { openLogits, openNumbers } from "./find-values.ts";

/** A graph that computes its loss against probabilities instead of labels. */
export interface SoftObjective {
  /** The graph with the loss as one further output. */
  readonly graph: Graph;
  /** Name of the loss, a scalar. */
  readonly loss: string;
  /** Name of the input that takes the probabilities, of the shape of the logits. */
  readonly targets: string;
  /** Name of the logits. */
  readonly logits: string;
  /** Shape of the logits and of the probabilities, `[..., classes]`. */
  readonly shape: readonly number[];
}

/**
 * Adds the cross-entropy against probabilities to a graph: the mean over examples and positions of
 * `-sum p log softmax(logits)`, in nats. No label is needed: the probabilities may come from another network.
 * For outputs that are numbers, the loss is the mean squared error against the numbers of another network.
 *
 * @see Hinton, Vinyals and Dean, Distilling the knowledge in a neural network (2015), at temperature 1
 * @param typed - the graph, as `specialize` makes it
 * @param areNumbers - whether the output that is scored holds numbers instead of logits `[..., classes]`
 * @throws MismatchError if the output has no classes along its last axis
 */
export function attachSoftTargets(typed: Graph, areNumbers = false): SoftObjective {
  const { graph, builder, logits: output } = areNumbers ? openNumbers(typed) : openLogits(typed, undefined);
  const rank = output.shape.length;
  if (!areNumbers && (rank < 2 || at(output.shape, rank - 1, "axis of logits") < 2)) {
    throw new MismatchError(
      `Cannot attach soft targets to graph "${graph.name}" as logits must be [..., classes] with 2 classes or more: "${output.name}" is ${formatShape(output.shape)}`,
      { parameters: [] },
    );
  }
  const targets = builder.input(unusedName(graph, "targets"), { dtype: "f32", shape: output.shape });
  const values = cast(output, "f32");
  const loss = areNumbers ? squaredError(values, targets) : crossEntropy(values, targets);
  const named = builder.rename(loss, unusedName(graph, "loss"));
  return {
    graph: builder.build([output, named]),
    loss: named.name,
    targets: targets.name,
    logits: output.name,
    shape: output.shape,
  };
}

function crossEntropy(logits: Value, probabilities: Value): Value {
  return mul(reduceMean(reduceSum(mul(probabilities, logSoftmax(logits)), { axes: [-1] })), -1);
}

function squaredError(values: Value, targets: Value): Value {
  const errors = sub(values, targets);
  return reduceMean(mul(errors, errors));
}
