import { at, resolveOptions, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, reduceMean, reduceSum, reshape, transpose, type Value } from "@isthmus/graph/builder";
import type { OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { assertLogits, examplesInput, openLogits } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import { assertSmoothing, isCorrect, negativeLogLikelihood } from "./log-likelihood.ts";
import { CROSS_ENTROPY_DEFAULTS, type CrossEntropyLoss } from "./loss-spec.ts";
import { weightedLoss } from "./weighted-loss.ts";

/**
 * Adds cross-entropy to a graph. Its metrics are `correct`, the number of examples or positions that are
 * classified correctly, and, if there are several positions or labels are weighted, `counted`, the number
 * that count.
 */
export function attachCrossEntropy(typed: Graph, loss: CrossEntropyLoss): OutputObjective {
  const { kind: _, logits: name, examples: input, classAxis, ...rest } = loss;
  const { labelSmoothing, weighted } = resolveOptions("attach cross-entropy", CROSS_ENTROPY_DEFAULTS, rest);
  assertSmoothing(labelSmoothing);
  const examples = examplesInput(typed, input);
  const { graph, builder, logits: opened } = openLogits(typed, name, classAxis);
  const logits = classAxis === undefined ? opened : rowsOfPixels(opened, classAxis);
  const [batch = 0] = examples.shape;
  const isPerPosition = logits.shape.length === 3;
  const shape = isPerPosition ? [batch, at(logits.shape, 1, "axis of logits")] : [batch];
  assertLogits(graph, logits, {
    rank: shape.length + 1,
    leading: shape,
    rule: `[${batch}, classes] or [${batch}, length, classes]`,
  });
  const labels = builder.input(unusedName(graph, "labels"), { dtype: "i64", shape });
  const losses = negativeLogLikelihood(logits, labels, labelSmoothing);
  const correct = isCorrect(logits, labels);
  if (!weighted) {
    const counted = isPerPosition ? { counted: builder.scalar(sizeOf(shape), "f32") } : {};
    return finishObjective(graph, {
      loss: reduceMean(losses),
      losses,
      output: opened,
      metrics: { correct: reduceSum(cast(correct, "f32")), ...counted },
      examples: examples.name,
      targets: labels,
    });
  }
  const targetWeights = builder.input(unusedName(graph, "targetWeights"), { dtype: "f32", shape });
  return finishObjective(graph, {
    losses,
    output: opened,
    ...weightedLoss({ losses, correct, weights: targetWeights }),
    examples: examples.name,
    targets: labels,
    targetWeights,
  });
}

/** Returns logits of which one axis but the first holds the classes as `[batch, pixels, classes]`. */
export function rowsOfPixels(logits: Value, classAxis: number): Value {
  const rank = logits.shape.length;
  const axis = classAxis < 0 ? classAxis + rank : classAxis;
  const others = logits.shape.map((_, i) => i).filter((i) => i !== axis);
  const last = axis === rank - 1 ? logits : transpose(logits, [...others, axis]);
  const [batch = 0, ...rest] = last.shape;
  const classes = rest.at(-1) ?? 1;
  return reshape(last, [batch, sizeOf(rest) / classes, classes]);
}
