import { OutOfRangeError, resolveOptions, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  argMax,
  cast,
  equal,
  exp,
  logSoftmax,
  mul,
  reduceMean,
  reduceSum,
  sub,
  type Value,
  where,
} from "@isthmus/graph/builder";
import type { OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { rowsOfPixels } from "./cross-entropy.ts";
import { examplesInput, openLogits } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import type { CrossEntropyLoss, DistillationLoss, NextTokenLoss } from "./loss-spec.ts";
import { shift } from "./next-token.ts";
import { weightedLoss } from "./weighted-loss.ts";

/** Defaults of {@link DistillationLoss}. */
const DISTILLATION_DEFAULTS: Required<Pick<DistillationLoss, "temperature">> = { temperature: 1 };

/** Distillation of outputs that are logits of classes or of tokens. */
type DistillationOfClasses = DistillationLoss & { readonly of: CrossEntropyLoss | NextTokenLoss };

/**
 * Adds the divergence from a teacher's logits to a graph. The targets are one more data input, f32 of the
 * shape of the logits, which takes the teacher's logits. Its metrics are `correct`, the number of predictions
 * that agree with the teacher's, and `counted`, the number that count.
 *
 * Every position of a text counts, the last one, too, as the teacher predicts there as well; with weights,
 * the positions before the tokens that count.
 * @throws OutOfRangeError if the temperature is not a number above 0
 */
export function attachDistillation(typed: Graph, loss: DistillationOfClasses): OutputObjective {
  const { kind: _, of, ...rest } = loss;
  const { temperature } = resolveOptions("distill", DISTILLATION_DEFAULTS, rest);
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new OutOfRangeError(
      `Cannot distill as the temperature must be a number above 0: temperature is ${temperature}`,
    );
  }
  const { logits: name, examples: input, weighted = false } = of;
  const classAxis = of.kind === "cross-entropy" ? of.classAxis : undefined;
  const examples = examplesInput(typed, input);
  const { graph, builder, logits: output } = openLogits(typed, name, classAxis);
  const targets = builder.input(unusedName(graph, "teacher"), { dtype: "f32", shape: output.shape });
  const rows = (logits: Value): Value =>
    cast(classAxis === undefined ? logits : rowsOfPixels(logits, classAxis), "f32");
  const [student, teacher] = [rows(output), rows(targets)];
  const losses = divergences(student, teacher, temperature);
  const correct = equal(argMax(student, -1), argMax(teacher, -1));
  const attached = { losses, output, examples: examples.name, targets };
  if (!weighted) {
    return finishObjective(graph, {
      ...attached,
      loss: reduceMean(losses),
      metrics: {
        correct: reduceSum(cast(correct, "f32")),
        counted: builder.scalar(sizeOf(losses.shape), "f32"),
      },
    });
  }
  const targetWeights = builder.input(unusedName(graph, "targetWeights"), {
    dtype: "f32",
    shape: losses.shape,
  });
  const weights = of.kind === "next-token" ? shift(targetWeights, 0) : targetWeights;
  return finishObjective(graph, {
    ...attached,
    ...weightedLoss({ losses, correct, weights }),
    targetWeights,
  });
}

/**
 * Computes `T^2 sum p log(p / q)` over the last axis. Classes that the teacher excludes by a logit of minus
 * infinity count nothing.
 * @param student - logits `[..., classes]`
 * @param teacher - logits of the same shape
 * @returns `[...]`, in nats
 */
function divergences(student: Value, teacher: Value, temperature: number): Value {
  const soften = (logits: Value): Value =>
    logSoftmax(temperature === 1 ? logits : mul(logits, 1 / temperature));
  const ofTeacher = soften(teacher);
  const probabilities = exp(ofTeacher);
  const terms = mul(probabilities, sub(ofTeacher, soften(student)));
  const counted = where(equal(probabilities, 0), 0, terms);
  return mul(reduceSum(counted, { axes: [-1] }), temperature ** 2);
}
