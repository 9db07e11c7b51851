import { resolveOptions } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, reduceMean, sub } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { examplesInput, outputOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import type { MeanSquaredErrorLoss } from "./loss-spec.ts";

/** Adds the mean squared error to a graph. It has no metrics. */
export function attachMeanSquaredError(graph: Graph, loss: MeanSquaredErrorLoss): Objective {
  const { kind: _, prediction, examples: input, ...rest } = loss;
  resolveOptions("attach mean squared error", {}, rest);
  const examples = examplesInput(graph, input);
  const name = prediction ?? graph.outputs[0]?.name ?? "";
  const builder = GraphBuilder.from(graph);
  const predicted = outputOf(graph, builder, name);
  const { dtype, shape } = predicted;
  const targets = builder.input(unusedName(graph, "targets"), { dtype, shape });
  const difference = sub(predicted, targets);
  const losses = mul(difference, difference);
  return finishObjective(graph, {
    loss: reduceMean(losses),
    losses,
    output: predicted,
    metrics: {},
    examples: examples.name,
    targets,
  });
}
