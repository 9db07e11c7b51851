import { MismatchError, resolveOptions, sizeOf } from "@isthmus/core";
import { ELEMENTWISE_LOSSES, findNumbers, type Graph } from "@isthmus/graph";
import { cast, equal, GraphBuilder, greater, reduceMean, reduceSum } from "@isthmus/graph/builder";
import type { OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";
import { examplesInput, outputOf, typeOf } from "./find-values.ts";
import { finishObjective } from "./finish-objective.ts";
import type { NumbersLoss } from "./loss-spec.ts";

/**
 * Adds a loss to a graph that compares each number of an output with a target of its own. Squared and
 * absolute errors have no metrics. The binary cross-entropy has `correct`, the number of logits on the side
 * of 0 that their label says, and `counted`, the number of all.
 */
export function attachNumbers(typed: Graph, loss: NumbersLoss): OutputObjective {
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
