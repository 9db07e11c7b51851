import { at } from "@isthmus/core";
import { type Graph, isElementwise, type LossOfOutput, lossOfOutput, scoreBy } from "@isthmus/graph";
import { add, cast, GraphBuilder, mul, reduceMean, reduceSum, type Value } from "@isthmus/graph/builder";
import type { Objective, OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { attachCrossEntropy } from "./cross-entropy.ts";
import { examplesInput } from "./find-values.ts";
import type { CrossEntropyLoss, NumbersLoss, SeveralLoss } from "./loss-spec.ts";
import { attachNumbers } from "./numbers-loss.ts";

/**
 * Adds the sum of the losses of several outputs to a graph. It has no metrics, as there is no error of all
 * outputs together. Its `losses` are one for each example, `[batch]`.
 * @throws MismatchError if an output does not fit its loss
 * @throws UsageError if the graph has no such output, or there is no such loss
 */
export function attachSeveral(typed: Graph, loss: SeveralLoss): Objective {
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
