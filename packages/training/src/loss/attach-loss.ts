import { at, excerpt, formatShape, MismatchError, resolveOptions, sizeOf, UsageError } from "@isthmus/core";
import {
  ELEMENTWISE_LOSS_NAMES,
  ELEMENTWISE_LOSSES,
  findNumbers,
  type Graph,
  isElementwise,
  type LossOfOutput,
  lossOfOutput,
  scoreBy,
  type ValueInfo,
} from "@isthmus/graph";
import {
  add,
  cast,
  equal,
  GraphBuilder,
  greater,
  mul,
  reduceMean,
  reduceSum,
  type Value,
} from "@isthmus/graph/builder";
import type { Objective, OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { attachCrossEntropy } from "./cross-entropy.ts";
import { attachDistillation } from "./distillation.ts";
import { examplesInput, outputOf, typeOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import type {
  CrossEntropyLoss,
  DistillationLoss,
  NumbersLoss,
  OutputLoss,
  SeveralLoss,
  StepLoss,
} from "./loss-spec.ts";
import { attachNextToken } from "./next-token.ts";

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
export function attachLoss(graph: Graph, loss: StepLoss): Objective {
  if (isElementwise(loss.kind)) return attachNumbers(graph, loss as NumbersLoss);
  switch (loss.kind) {
    case "cross-entropy":
      return attachCrossEntropy(graph, loss);
    case "next-token":
      return attachNextToken(graph, loss);
    case "several":
      return attachSeveral(graph, loss);
    case "output":
      return attachOutput(graph, loss);
    case "distillation":
      return attachTaught(graph, loss);
    default:
      throw new UsageError(
        `Cannot attach a loss as its kind must be cross-entropy, next-token, ${ELEMENTWISE_LOSS_NAMES.join(", ")}, several or output: it is ${excerpt((loss as { kind?: unknown }).kind)}`,
      );
  }
}

/**
 * Adds the loss against a teacher to a graph, as {@link attachLoss} does. The targets are the teacher's
 * outputs, of the shape of the network's.
 */
export function attachTaught(graph: Graph, loss: DistillationLoss): OutputObjective {
  const { of } = loss;
  if (of.kind === "cross-entropy" || of.kind === "next-token")
    return attachDistillation(graph, { ...loss, of });
  return attachNumbers(graph, of);
}

/** Takes a scalar that a graph computes itself as its loss, which has no metrics. */
function attachOutput(graph: Graph, loss: OutputLoss): Objective {
  const { kind: _, output: name, examples: examplesName, targets: targetsName, ...others } = loss;
  const { prediction, losses, ...rest } = others;
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
    ...(prediction !== undefined && { output: outputOf(graph, builder, prediction).name }),
    ...(losses !== undefined && areOfExamples(builder, losses, examples) && { losses }),
  };
}

/** Returns whether a value has a number for each example of a batch. */
function areOfExamples(builder: GraphBuilder, losses: string, examples: string): boolean {
  const [[batch], [count]] = [builder.value(examples).shape, builder.value(losses).shape];
  return count !== undefined && count === batch;
}

function inputOf(graph: Graph, name: string): ValueInfo {
  const names = graph.inputs.map((input) => input.name);
  if (names.includes(name)) return { name, ...typeOf(graph, name) };
  throw new MismatchError(
    `Cannot feed graph "${graph.name}" by "${name}" as that must be a data input: it has ${names.map((input) => `"${input}"`).join(", ") || "none"}`,
    { parameters: [] },
  );
}

/**
 * Adds the sum of the losses of several outputs to a graph. It has no metrics, as there is no error of all
 * outputs together. Its `losses` are one for each example, `[batch]`.
 * @throws MismatchError if an output does not fit its loss
 * @throws UsageError if the graph has no such output, or there is no such loss
 */
function attachSeveral(typed: Graph, loss: SeveralLoss): Objective {
  const { name: examples } = examplesInput(typed, loss.examples);
  scoreBy(typed, loss.outputs);
  let graph = typed;
  const attached = Object.entries(loss.outputs).map(([output, part]) => {
    const ofOutput = lossOfOutput(part);
    const term = loss.terms?.[output] ?? termOf(output, ofOutput);
    const objective =
      term.kind === "cross-entropy"
        ? attachCrossEntropy(graph, { ...term, examples })
        : attachNumbers(graph, { ...term, examples });
    graph = objective.graph;
    return { output, loss: ofOutput, objective };
  });
  const builder = GraphBuilder.from(graph);
  const losses = attached
    .map(({ loss: { weight = 1 }, objective }) => mul(meansOfExamples(builder, objective), weight))
    .reduce((sum, term) => add(sum, term));
  const named = builder.rename(losses, unusedName(graph, "losses"));
  const mean = builder.rename(reduceMean(named), unusedName(graph, "loss"));
  return {
    graph: builder.build([...typed.outputs.map(({ name }) => builder.value(name)), mean]),
    loss: mean.name,
    losses: named.name,
    examples,
    targets: at(attached, 0, "output").objective.targets,
    terms: attached.map(({ output, loss: ofOutput, objective: { targets, targetWeights } }) => ({
      output,
      loss: ofOutput,
      targets: targets.name,
      ...(targetWeights !== undefined && { targetWeights }),
    })),
    metrics: new Map(),
  };
}

/** Returns the full description of the loss of an output without looking at the data. */
function termOf(output: string, { loss }: LossOfOutput): CrossEntropyLoss | NumbersLoss {
  return isElementwise(loss) ? { kind: loss, prediction: output } : { kind: "cross-entropy", logits: output };
}

/**
 * Computes the loss of each example, the mean over its positions or numbers. Weights of labels are shares of
 * their example, so that a sum is the mean.
 */
function meansOfExamples(builder: GraphBuilder, { losses: name, targetWeights }: OutputObjective): Value {
  const losses = cast(builder.value(name), "f32");
  const axes = losses.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) return losses;
  if (targetWeights === undefined) return reduceMean(losses, { axes });
  return reduceSum(mul(losses, builder.value(targetWeights)), { axes });
}

/**
 * Adds a loss to a graph that compares each number of an output with a target of its own. Squared and
 * absolute errors have no metrics. The binary cross-entropy has `correct`, the number of logits on the side
 * of 0 that their label says, and `counted`, the number of all.
 */
function attachNumbers(typed: Graph, loss: NumbersLoss): OutputObjective {
  const { kind, prediction, examples: input, ...rest } = loss;
  resolveOptions(`attach ${kind}`, {}, rest);
  const examples = examplesInput(typed, input);
  const name = prediction ?? typed.scored ?? typed.outputs[0]?.name;
  if (name === undefined) {
    throw new MismatchError(
      `Cannot attach a loss to graph "${typed.name}" as it must have an output: it has none`,
      { parameters: [] },
    );
  }
  typeOf(typed, name);
  const { graph, logits } = findNumbers("attach a loss", { ...typed, scored: name }, { loss: kind });
  const builder = GraphBuilder.from(graph);
  const output = outputOf(graph, builder, logits);
  const { dtype, shape } = output;
  const targets = builder.input(unusedName(graph, "targets"), { dtype, shape });
  const losses = ELEMENTWISE_LOSSES[kind].nodes(output, targets);
  const metrics =
    kind === "binary-cross-entropy"
      ? {
          correct: reduceSum(cast(equal(greater(output, 0), greater(targets, 0.5)), "f32")),
          counted: builder.scalar(sizeOf(shape), "f32"),
        }
      : {};
  return finishObjective(graph, {
    loss: reduceMean(losses),
    losses,
    output,
    metrics,
    examples: examples.name,
    targets,
  });
}
