import { resolveOptions } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, reduceMean, sub } from "@isthmus/graph/build";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { onlyInput, outputOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import type { MeanSquaredErrorLoss } from "./loss-spec.ts";

/** Adds the mean squared error to a graph; it has no metrics. */
export function attachMeanSquaredError(graph: Graph, loss: MeanSquaredErrorLoss): Objective {
  const { kind: _, prediction: name, ...rest } = loss;
  resolveOptions("attach mean squared error", {}, rest);
  const examples = onlyInput(graph);
  const builder = GraphBuilder.from(graph);
  const prediction = outputOf(graph, builder, name);
  const { dtype, shape } = prediction;
  const targets = builder.input(unusedName(graph, "targets"), { dtype, shape });
  const difference = sub(prediction, targets);
  return finishObjective(graph, {
    loss: reduceMean(mul(difference, difference)),
    metrics: {},
    examples: examples.name,
    targets,
  });
}
