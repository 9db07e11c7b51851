import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { type Checkpoint, entry, sumOf, type Tensor, toFloat64, UnsupportedError } from "@isthmus/core";
import {
  type Architecture,
  assertCausal,
  bindWeights,
  type DataSet,
  planFeeds,
  specialize,
} from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss } from "../loss/attach-loss.ts";
import { completeLoss } from "../loss/loss-of-data.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import { feedObjective } from "../train/feed-objective.ts";

/** The network whose gradients are computed, and the examples that they are computed on. */
export interface VisitedNetwork {
  /** Action that messages name, such as `measure Fisher information`. */
  readonly attempt: string;
  /** Weights of the network at which gradients are taken. */
  readonly network: Checkpoint;
  /** Examples whose losses are differentiated, one by one. */
  readonly data: DataSet;
  /** Loss of an example. @defaultValue the loss that `lossOfData` chooses */
  readonly loss?: LossSpec | undefined;
}

/** Gradients of the loss of one example. */
export interface ExampleGradients {
  /** Gradient of each parameter that the loss depends on, by its name, in the order of the graph. */
  readonly values: ReadonlyMap<string, Float64Array>;
  /** Number of labels that count; the loss is the mean over them. */
  readonly labels: number;
}

/** Options of {@link visitGradients}. */
export interface VisitGradientsOptions {
  /** Threads of the engine; 0 lets it choose. */
  readonly threads: number;
  /** Signal that stops the work between two examples; undefined if it cannot be stopped. */
  readonly signal: AbortSignal | undefined;
  /** Callback for the share of examples that are done, in `[0, 1]`; undefined without one. */
  readonly onProgress: ((progress: { readonly done: number }) => void) | undefined;
}

/**
 * Computes the gradient of the loss of a data set for each example alone, and passes each to `visit`,
 * in the order of the examples. Norms take their running statistics, and there is no dropout.
 *
 * @throws InputError if the data do not fit the graph
 * @throws UnsupportedError if the graph takes a fixed number of examples, or an operator has no gradient rule
 */
export async function visitGradients(
  { graph, engine }: Architecture,
  { attempt, network, data, loss: lossSpec }: VisitedNetwork,
  { threads, signal, onProgress }: VisitGradientsOptions,
  visit: (gradients: ExampleGradients) => void,
): Promise<void> {
  const plan = planFeeds(attempt, graph, data, 1);
  if (plan.fixedBatch !== undefined && plan.fixedBatch !== 1) {
    throw new UnsupportedError(
      `Cannot ${attempt} of graph "${graph.name}" as it must take single examples: it takes ${plan.fixedBatch} at once; free its batch by freeBatch()`,
      { feature: "fixed batch" },
    );
  }
  const weights = await bindWeights(graph, network);
  const typed = await specialize({ graph, engine }, { batch: 1, extents: plan.extents });
  const spec = lossSpec ?? completeLoss(attempt, { graph, data });
  if (spec.kind === "next-token") await assertCausal(attempt, { graph, engine }, network, data);
  const objective = attachLoss(typed, spec);
  const { loss } = objective;
  const differentiated = gradient({ ...objective.graph, outputs: [{ name: loss }] }, { loss });
  const parameters = [...graph.weights.keys()].filter((name) =>
    differentiated.outputs.some((output) => output.name === gradientName(loss, name)),
  );
  const isText = objective.targets.name === objective.examples;
  const session = await engine.load(lowerBatchNorm(differentiated), { threads });
  try {
    for (let i = 0; i < data.size; i++) {
      signal?.throwIfAborted();
      const { feeds, filler } = feedObjective({ objective, plan, data }, data.read(i, i + 1));
      const results = await session.run(new Map([...weights, ...feeds]));
      const values = parameters.map((name): [string, Float64Array] => {
        const { data: numbers, dtype } = entry(results, gradientName(loss, name), "gradient");
        return [name, toFloat64(numbers, dtype)];
      });
      const labels = objective.terms ? 1 : countLabels(filler.targets, isText, filler.weights);
      visit({ values: new Map(values), labels });
      onProgress?.({ done: (i + 1) / data.size });
    }
  } finally {
    await session.release();
  }
}

/** Returns the number of labels of an example that count. */
function countLabels(targets: Tensor, isText: boolean, weights: Tensor | undefined): number {
  if (weights !== undefined) return sumOf(toFloat64(weights.data, weights.dtype));
  // The first token is never predicted, as nothing comes before it.
  if (isText) return Math.max(1, targets.data.length - 1);
  return targets.dtype === "i64" ? targets.data.length : 1;
}
