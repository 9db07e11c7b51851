import { UsageError } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { completeLoss } from "../loss/loss-of-data.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import { LEARNING_RATES, TRAIN_DEFAULTS, type TrainOptions } from "./train-options.ts";

/** Options of a training that depend on the graph, the data and the optimiser. */
export interface ChosenTrainOptions {
  readonly loss: LossSpec;
  readonly batch: number;
  readonly schedule: ScheduleSpec;
}

/**
 * Chooses the loss, the batch and the schedule of a training, as `train` does, from the options, the graph,
 * the
 * data and the optimiser: for tools that must know or record them beforehand.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { chooseTrainOptions } from "@isthmus/training";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const data = await openDataSet("mnist:train@1000");
 * const { graph } = parseNetwork("mlp:16", data);
 * assert.deepEqual(chooseTrainOptions({ graph, data }, { optimizer: { kind: "adam" } }), {
 *   loss: { kind: "cross-entropy" },
 *   batch: 128,
 *   schedule: { kind: "cosine", learningRate: 0.001 },
 * });
 * ```
 *
 * @throws InputError if the data do not fit the graph
 * @throws UsageError if the graph takes batches of another size only, or its batch norms would normalize
 *   single examples
 */
export function chooseTrainOptions(
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  {
    loss: partialLoss,
    batch,
    optimizer = TRAIN_DEFAULTS.optimizer,
    schedule = usualSchedule(optimizer),
  }: Pick<TrainOptions, "loss" | "batch" | "optimizer" | "schedule"> = {},
): ChosenTrainOptions {
  const loss = completeLoss("train", { graph, data }, partialLoss);
  return { loss, batch: chooseBatch(graph, batch, loss.examples), schedule };
}

function usualSchedule(optimizer: OptimizerSpec): ScheduleSpec {
  const { schedule } = TRAIN_DEFAULTS;
  const base = optimizer.kind === "sam" ? optimizer.base : optimizer;
  // An unknown optimiser is refused later, when the step is made.
  if (!Object.hasOwn(LEARNING_RATES, base.kind)) return schedule;
  return { ...schedule, learningRate: LEARNING_RATES[base.kind] };
}

/**
 * Returns the number of examples in a step: what is asked for, else what the graph takes, else 128.
 * @param batch - the number that is asked for
 * @param examples - the data input that takes the examples, by default the first
 * @throws UsageError if the graph takes another number only, or its batch norms would
 *   normalize single examples
 */
export function chooseBatch(graph: Graph, batch: number | undefined, examples?: string): number {
  const input = graph.inputs.find(({ name }) => examples === undefined || name === examples);
  const extent = input?.shape?.[0];
  if (typeof extent !== "number") return batch ?? TRAIN_DEFAULTS.batch;
  if (batch !== undefined && batch !== extent) {
    throw new UsageError(
      `Cannot train by batches of ${batch} as graph "${graph.name}" was exported for batches of ${extent} and takes no others: leave the batch out, or export it with a dynamic batch`,
    );
  }
  if (extent === 1 && graph.nodes.some(({ op }) => op === "BatchNormalization")) {
    throw new UsageError(
      `Cannot train graph "${graph.name}" as its batch norms must see several examples at once to normalize them: it was exported for batches of 1 and takes no others; export it with a dynamic batch`,
    );
  }
  return extent;
}
