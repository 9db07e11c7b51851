import { resolveOptions } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, GraphBuilder, reduceMean, reduceSum } from "@isthmus/graph/build";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { assertLogits, onlyInput, outputOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import { assertSmoothing, isRight, negativeLogLikelihood } from "./log-likelihood.ts";
import { CROSS_ENTROPY_DEFAULTS, type CrossEntropyLoss } from "./loss-spec.ts";

/** Adds cross-entropy to a graph; its metric is `correct`, the examples classified rightly. */
export function attachCrossEntropy(graph: Graph, loss: CrossEntropyLoss): Objective {
  const { kind: _, logits: name, ...rest } = loss;
  const { labelSmoothing } = resolveOptions("attach cross-entropy", CROSS_ENTROPY_DEFAULTS, rest);
  assertSmoothing(labelSmoothing);
  const examples = onlyInput(graph);
  const builder = GraphBuilder.from(graph);
  const logits = outputOf(graph, builder, name);
  const batch = examples.shape[0] ?? 0;
  assertLogits(graph, logits, { rank: 2, leading: [batch], rule: `[${batch}, classes]` });
  const labels = builder.input(unusedName(graph, "labels"), { dtype: "i64", shape: [batch] });
  return finishObjective(graph, {
    loss: reduceMean(negativeLogLikelihood(logits, labels, labelSmoothing)),
    metrics: { correct: reduceSum(cast(isRight(logits, labels), "f32")) },
    examples: examples.name,
    targets: labels,
  });
}
