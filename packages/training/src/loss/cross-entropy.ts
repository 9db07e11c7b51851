import { resolveOptions } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, GraphBuilder, reduceMean, reduceSum } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { assertLogits, examplesInput, outputOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import { assertSmoothing, isRight, negativeLogLikelihood } from "./log-likelihood.ts";
import { CROSS_ENTROPY_DEFAULTS, type CrossEntropyLoss } from "./loss-spec.ts";
import { weightedLoss } from "./weighted-loss.ts";

/**
 * Adds cross-entropy to a graph; its metrics are `correct`, the examples or positions classified rightly, and, where there are several
 * positions or labels are weighted, `counted`, how many count.
 */
export function attachCrossEntropy(graph: Graph, loss: CrossEntropyLoss): Objective {
  const { kind: _, logits: name, examples: input, ...rest } = loss;
  const { labelSmoothing, weighted } = resolveOptions("attach cross-entropy", CROSS_ENTROPY_DEFAULTS, rest);
  assertSmoothing(labelSmoothing);
  const examples = examplesInput(graph, input);
  const builder = GraphBuilder.from(graph);
  const logits = outputOf(graph, builder, name);
  const batch = examples.shape[0] ?? 0;
  const isPerPosition = logits.shape.length === 3;
  const shape = isPerPosition ? [batch, logits.shape[1] ?? 0] : [batch];
  assertLogits(graph, logits, {
    rank: shape.length + 1,
    leading: shape,
    rule: `[${batch}, classes] or [${batch}, length, classes]`,
  });
  const labels = builder.input(unusedName(graph, "labels"), { dtype: "i64", shape });
  const losses = negativeLogLikelihood(logits, labels, labelSmoothing);
  const right = isRight(logits, labels);
  if (!weighted) {
    const counted = isPerPosition ? { counted: builder.scalar(batch * (shape[1] ?? 0), "f32") } : {};
    return finishObjective(graph, {
      loss: reduceMean(losses),
      metrics: { correct: reduceSum(cast(right, "f32")), ...counted },
      examples: examples.name,
      targets: labels,
    });
  }
  const targetWeights = builder.input(unusedName(graph, "targetWeights"), { dtype: "f32", shape });
  return finishObjective(graph, {
    ...weightedLoss({ losses, right, weights: targetWeights }),
    examples: examples.name,
    targets: labels,
    targetWeights,
  });
}
