import { entry, type Tensor, toFloat64 } from "@isthmus/core";
import { type Architecture, type DataSet, planFeeds, specialize } from "@isthmus/graph";
import { createBatches } from "../batches/create-batches.ts";
import { attachLoss } from "../loss/attach-loss.ts";
import { completeLoss } from "../loss/loss-of-data.ts";
import { feedObjective } from "../train/feed-objective.ts";
import type { ResolvedEvolution } from "./evolution-options.ts";

/** Evaluator of networks on the batches of generations. */
export interface PopulationEvaluator {
  /** Chooses the batch of a generation, counted from 0. */
  begin(generation: number): void;
  /** Returns the mean loss of a network on that batch. */
  measure(weights: ReadonlyMap<string, Tensor>): Promise<number>;
  /** Frees the engine's session. */
  release(): Promise<void>;
}

/**
 * Prepares forward passes of many networks on the same batch, in inference mode: one engine call a network,
 * whose graph computes nothing but the loss.
 * @throws InputError or MismatchError if the data do not fit the graph or the loss
 */
export async function createPopulationEvaluator(
  { graph, engine }: Architecture,
  data: DataSet,
  { seed, batch: asked, loss, threads }: Pick<ResolvedEvolution, "seed" | "batch" | "loss" | "threads">,
): Promise<PopulationEvaluator> {
  const attempt = "train by evolution";
  const plan = planFeeds(attempt, graph, data, asked);
  const batch = plan.fixedBatch ?? asked;
  const typed = await specialize({ graph, engine }, { batch, extents: plan.extents });
  const attached = attachLoss(typed, completeLoss(attempt, { graph, data }, loss));
  const outputs = attached.graph.outputs.filter(({ name }) => name === attached.loss);
  const objective = { ...attached, graph: { ...attached.graph, outputs } };
  const session = await engine.load(objective.graph, { threads });
  const batches = createBatches(data, { seed, batch, remainder: "carry", augment: {} });
  let feeds: ReadonlyMap<string, Tensor> = new Map();
  return {
    begin(generation) {
      batches.fill(generation);
      ({ feeds } = feedObjective({ objective, plan, data }, batches.current));
    },
    async measure(weights) {
      const results = await session.run(new Map([...weights, ...feeds]));
      const { data: values, dtype } = entry(results, objective.loss, "output");
      return toFloat64(values, dtype)[0] ?? Number.NaN;
    },
    release: () => session.release(),
  };
}
