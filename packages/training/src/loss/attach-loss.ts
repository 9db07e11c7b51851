import { excerpt, formatShape, MismatchError, resolveOptions, sizeOf, UsageError } from "@isthmus/core";
import type { Graph, ValueInfo } from "@isthmus/graph";
import { GraphBuilder } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { attachCrossEntropy } from "./cross-entropy.ts";
import { outputOf, typeOf } from "./find-values.ts";
import type { LossSpec, OutputLoss } from "./loss-spec.ts";
import { attachNextToken } from "./next-token.ts";
import { attachNumbers } from "./numbers-loss.ts";
import { attachSeveral } from "./several-losses.ts";

/**
 * Adds a loss to a graph: the inputs for targets, and the nodes that compute loss and metrics as further
 * outputs.
 *
 * @param graph - typed, as `specialize` makes it; with one data input unless the loss is of kind `output` or
 *   names the input for the examples
 * @throws MismatchError if the graph is not typed, or its inputs or outputs do not fit the loss
 * @throws OutOfRangeError if a number of the loss is out of its range
 * @throws UsageError if the kind or an option of the loss is unknown
 */
export function attachLoss(graph: Graph, loss: LossSpec): Objective {
  switch (loss.kind) {
    case "cross-entropy":
      return attachCrossEntropy(graph, loss);
    case "next-token":
      return attachNextToken(graph, loss);
    case "mean-squared-error":
    case "mean-absolute-error":
    case "binary-cross-entropy":
      return attachNumbers(graph, loss);
    case "several":
      return attachSeveral(graph, loss);
    case "output":
      return attachOutput(graph, loss);
    default:
      throw new UsageError(
        `Cannot attach a loss as its kind must be cross-entropy, next-token, binary-cross-entropy, mean-squared-error, mean-absolute-error, several or output: it is ${excerpt((loss as { kind?: unknown }).kind)}`,
      );
  }
}

/** Takes a scalar that a graph computes itself as its loss, which has no metrics. */
function attachOutput(graph: Graph, loss: OutputLoss): Objective {
  const { kind: _, output: name, examples: examplesName, targets: targetsName, ...rest } = loss;
  resolveOptions("attach a loss", {}, rest);
  const builder = GraphBuilder.from(graph);
  const output = outputOf(graph, builder, name);
  if (sizeOf(output.shape) !== 1) {
    throw new MismatchError(
      `Cannot minimise "${name}" of graph "${graph.name}" as a loss must be one number: it is ${formatShape(output.shape)}; reduce it first`,
      { parameters: [] },
    );
  }
  const [first, second] = graph.inputs;
  // No data input has an empty name, so it is refused below.
  const examples = examplesName ?? first?.name ?? "";
  const targets = targetsName ?? second?.name ?? examples;
  const outputs = graph.outputs.map((value) => builder.value(value.name));
  return {
    graph: builder.build(outputs.some((value) => value.name === name) ? outputs : [...outputs, output]),
    loss: name,
    examples: inputOf(graph, examples).name,
    targets: inputOf(graph, targets),
    metrics: new Map(),
  };
}

function inputOf(graph: Graph, name: string): ValueInfo {
  const names = graph.inputs.map((input) => input.name);
  if (names.includes(name)) return { name, ...typeOf(graph, name) };
  throw new MismatchError(
    `Cannot feed graph "${graph.name}" by "${name}" as that must be a data input: it has ${names.map((input) => `"${input}"`).join(", ") || "none"}`,
    { parameters: [] },
  );
}
