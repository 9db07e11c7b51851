import { DTYPES, formatShape, MismatchError, resolveOptions, type TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, concat, mul, reduceSum, slice, type Value } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { assertLogits, examplesInput, openLogits } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import { assertSmoothing, isCorrect, negativeLogLikelihood } from "./log-likelihood.ts";
import { NEXT_TOKEN_DEFAULTS, type NextTokenLoss } from "./loss-spec.ts";
import { weightedLoss } from "./weighted-loss.ts";

/**
 * Target of the last position, which nothing follows: it is no token, so that no prediction of it is correct.
 */
const NOTHING = -1;

/**
 * Adds next-token cross-entropy to a graph. Its metrics are `correct`, the number of tokens that are
 * predicted correctly, and, if tokens are weighted, `counted`, the number of weights above 0.
 */
export function attachNextToken(typed: Graph, loss: NextTokenLoss): Objective {
  const { kind: _, logits: name, examples: input, ...rest } = loss;
  const { labelSmoothing, weighted } = resolveOptions("attach next-token loss", NEXT_TOKEN_DEFAULTS, rest);
  assertSmoothing(labelSmoothing);
  const examples = examplesInput(typed, input);
  assertTokens(typed, examples);
  const { graph, builder, logits } = openLogits(typed, name);
  const [batch = 0, length = 0] = examples.shape;
  assertLogits(graph, logits, {
    rank: 3,
    leading: [batch, length],
    rule: `[${batch}, ${length}, vocabulary]`,
  });
  // We shift targets, not logits: targets are small, and the gradient of a slice of logits would be padded
  // again.
  const next = shift(builder.value(examples.name), NOTHING);
  const losses = negativeLogLikelihood(logits, next, labelSmoothing);
  const correct = isCorrect(logits, next);
  if (!weighted) {
    return finishObjective(graph, {
      loss: reduceSum(mul(losses, evenWeights(losses))),
      losses,
      output: logits,
      metrics: { correct: reduceSum(cast(correct, "f32")) },
      examples: examples.name,
      targets: builder.value(examples.name),
    });
  }
  const targetWeights = builder.input(unusedName(graph, "targetWeights"), {
    dtype: "f32",
    shape: [batch, length],
  });
  const weights = shift(targetWeights, 0);
  return finishObjective(graph, {
    losses,
    output: logits,
    ...weightedLoss({ losses, correct, weights }),
    examples: examples.name,
    targets: builder.value(examples.name),
    targetWeights,
  });
}

/** Shifts rows `[N, L]` by one to the left and puts a number in their last place. */
export function shift(x: Value, last: number): Value {
  const [rows = 0, length = 0] = x.shape;
  const filler = x.builder.numbers(Array<number>(rows).fill(last), x.dtype, [rows, 1]);
  return concat([slice(x, [{ axis: 1, begin: 1, end: length }]), filler], 1);
}

/**
 * Returns the weights `[1, L]` of a mean: an equal share for every token to be predicted, none for the last
 * place.
 */
function evenWeights({ builder, dtype, shape }: Value): Value {
  const [rows = 0, length = 0] = shape;
  const share = 1 / (rows * (length - 1));
  const shares = Array.from({ length }, (_, position) => (position < length - 1 ? share : 0));
  return builder.numbers(shares, dtype, [1, length]);
}

function assertTokens(graph: Graph, { dtype, shape }: TensorInfo): void {
  const [, length = 0] = shape;
  if (!DTYPES[dtype].float && dtype !== "bool" && shape.length === 2 && length > 1) return;
  throw new MismatchError(
    `Cannot attach next-token loss to graph "${graph.name}" as examples must be token ids [N, L], L at least 2: its input is ${dtype} ${formatShape(shape)}`,
    { parameters: [] },
  );
}
