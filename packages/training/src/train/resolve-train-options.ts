import { assertWholeOptions, excerpt, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { stepsUntil } from "../batches/epoch-steps.ts";
import { resolveControlVariates } from "../local/control-variates.ts";
import { resolveCurriculum } from "../local/curriculum.ts";
import type { LocalTrainingOptions, ResolvedLocalTraining } from "../local/local-training.ts";
import { resolveProximal } from "../local/proximal.ts";
import { resolveWasserstein } from "../local/wasserstein.ts";
import { completeLoss } from "../loss/loss-of-data.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import {
  LEARNING_RATES,
  type ResolvedTrainOptions,
  TRAIN_DEFAULTS,
  type TrainOptions,
} from "./train-options.ts";

/** The defaults of all options; placeholders of required options are out of range. */
const UNRESOLVED: Omit<ResolvedTrainOptions, keyof LocalTrainingOptions> & LocalTrainingOptions = {
  ...TRAIN_DEFAULTS,
  seed: -1,
  loss: { kind: "cross-entropy" },
  statePath: undefined,
  onEpoch: undefined,
  collect: undefined,
  signal: undefined,
  onProgress: undefined,
  proximal: undefined,
  controlVariates: undefined,
  curriculum: undefined,
  wasserstein: undefined,
  constraint: undefined,
  move: undefined,
};

/**
 * Fills in the defaults of options, for a graph and its data, and checks their ranges.
 * @param leastEpochs - the least number of epochs; 0 if a network that was not trained at all is a valid
 *   result
 * @throws UsageError if an option is unknown, or needs another that is missing, or weights would never move
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveTrainOptions(
  network: { readonly graph: Graph; readonly data: DataSet },
  options: Omit<TrainOptions, "evaluationData">,
  leastEpochs: 0 | 1 = 0,
): ResolvedTrainOptions {
  const resolved = resolveOptions("train", UNRESOLVED, {
    ...options,
    ...chooseTrainOptions(network, options),
  });
  assertWholeOptions("train", resolved, { seed: 0, epochs: leastEpochs, batch: 1, threads: 0, saveEvery: 0 });
  const { saveEvery, remainder } = resolved;
  if (remainder !== "carry" && remainder !== "drop") {
    throw new UsageError(
      `Cannot train as "remainder" must be "carry" or "drop": it is ${excerpt(remainder)}`,
    );
  }
  const { statePath, resume } = resolved;
  if (statePath === undefined ? resume || saveEvery > 0 : !statePath.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot train as "statePath" must name a file ending in .safetensors for the state to be kept in: it is ${excerpt(statePath)}`,
    );
  }
  assertMoves(resolved, network.data.size);
  return { ...resolved, ...resolveLocalTraining(resolved) };
}

/** Checks that weights are moved at least once. */
function assertMoves({ move, epochs, batch, remainder }: typeof UNRESOLVED, examples: number): void {
  const steps = stepsUntil(epochs, { examples, batch, remainder });
  if (move === undefined || move.every < steps) return;
  throw new UsageError(
    `Cannot train with weights that are moved after every ${move.every} steps (--teleport) as there must be a step after the first move: there are ${steps} steps in all; move them more often, or train longer`,
  );
}

function resolveLocalTraining(
  options: LocalTrainingOptions & Pick<ResolvedTrainOptions, "optimizer" | "epochs">,
): ResolvedLocalTraining {
  const proximal = resolveProximal(options.proximal);
  return {
    proximal,
    controlVariates: resolveControlVariates(options.controlVariates, { ...options, proximal }),
    curriculum: resolveCurriculum(options.curriculum),
    wasserstein: resolveWasserstein(options.wasserstein),
    constraint: options.constraint,
    move: options.move,
  };
}

/** Options of a training that depend on the graph, the data and the optimiser. */
export interface ChosenTrainOptions {
  /** Loss to minimise, with its kind and its inputs. */
  readonly loss: LossSpec;
  /** Number of examples in a step. */
  readonly batch: number;
  /** Schedule of the learning rate, with the rate. */
  readonly schedule: ScheduleSpec;
}

/**
 * Chooses the loss, the batch and the schedule of a training, as `train` does, from the options, the graph,
 * the data and the optimiser: for tools that must know or record them beforehand.
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
  return { loss, batch: chooseBatch(graph, batch, { examples: loss.examples, size: data.size }), schedule };
}

function usualSchedule(optimizer: OptimizerSpec): ScheduleSpec {
  const { schedule } = TRAIN_DEFAULTS;
  const base = optimizer.kind === "sam" ? optimizer.base : optimizer;
  // An unknown optimiser is refused later, when the step is made.
  if (!Object.hasOwn(LEARNING_RATES, base.kind)) return schedule;
  return { ...schedule, learningRate: LEARNING_RATES[base.kind] };
}

/**
 * Returns the number of examples in a step: the number asked for, else the number that the graph takes, else
 * 128, or all examples if they are fewer.
 * @param batch - number that is asked for
 * @param of - the data input that takes the examples, by default the first, and how many examples there are
 * @throws UsageError if the graph takes another number only, or its batch norms would normalize single
 *   examples
 */
export function chooseBatch(
  graph: Graph,
  batch: number | undefined,
  of: { readonly examples?: string | undefined; readonly size?: number | undefined } = {},
): number {
  const { examples, size = TRAIN_DEFAULTS.batch } = of;
  const input = graph.inputs.find(({ name }) => examples === undefined || name === examples);
  const extent = input?.shape?.[0];
  // Data without examples are refused later, by name.
  if (typeof extent !== "number") return batch ?? Math.min(TRAIN_DEFAULTS.batch, Math.max(1, size));
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
