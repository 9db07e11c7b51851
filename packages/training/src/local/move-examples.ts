import { gradient } from "@isthmus/autodiff";
import { DTYPES, entry, MismatchError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, sub, type Value } from "@isthmus/graph/builder";
import { gradientName, renameInputs } from "@isthmus/graph/ir";
import type { Objective } from "../objective.ts";
import type { ResolvedWasserstein } from "./wasserstein.ts";

/** A training step under construction whose examples are to be moved. */
interface Moved {
  /** The graph that computes the loss, in training mode. */
  readonly forward: Graph;
  /** The same graph with the gradients by the weights. */
  readonly differentiated: Graph;
  readonly objective: Pick<Objective, "loss" | "examples" | "targets">;
  /** Examples in a batch. */
  readonly batch: number;
}

/**
 * Lets the examples of a step be moved before loss and gradients are computed: by ascents
 * `x' = x + s (d loss / dx - 2 gamma (x - x0))`, each a further pass through the graph.
 *
 * The gradients by the weights are taken at the moved examples, which are not differentiated: at a maximum
 * over `x`, the gradient of the maximum is the gradient at the maximising `x` (Danskin's theorem).
 * @throws MismatchError if examples are not floating-point, or are the targets, too
 * @throws UnsupportedError if an operator has no gradient rule, or the graph has control flow
 */
export function moveExamples(
  { forward, differentiated, objective, batch }: Moved,
  { gamma, steps, stepSize }: ResolvedWasserstein,
): Graph {
  const { loss, examples } = objective;
  const builder = GraphBuilder.rewriting(differentiated);
  const start = builder.value(examples);
  assertMovable(forward, objective, start);
  const withRespectTo = [examples];
  const uphill = gradient({ ...forward, outputs: [{ name: loss }] }, { loss, withRespectTo });
  let moved = start;
  for (let step = 0; step < steps; step++) {
    const values = builder.inline(uphill, new Map([[examples, moved]]));
    // The loss is a mean over the batch, so the slope of an example's own loss is `batch` times the slope of
    // the mean.
    const slope = mul(entry(values, gradientName(loss, examples), "gradient"), batch);
    const back = mul(sub(moved, start), 2 * gamma);
    moved = add(moved, mul(step === 0 ? slope : sub(slope, back), stepSize));
  }
  for (const node of differentiated.nodes) {
    builder.adopt(renameInputs(node, new Map([[examples, moved.name]])));
  }
  return builder.build(differentiated.outputs.map(({ name }) => builder.value(name)));
}

function assertMovable(
  graph: Graph,
  { examples, targets }: Pick<Objective, "examples" | "targets">,
  { dtype }: Value,
): void {
  const rule = !DTYPES[dtype].float
    ? `be floating-point: "${examples}" is ${dtype}`
    : targets.name === examples
      ? `not be the targets, too: both are "${examples}"`
      : undefined;
  if (rule === undefined) return;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" by Wasserstein-robust steps as examples that move along gradients must ${rule}; leave these steps out`,
    { parameters: [examples] },
  );
}
