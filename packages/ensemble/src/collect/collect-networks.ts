import { type Checkpoint, UsageError } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import {
  chooseTrainOptions,
  type LocalTrainingOptions,
  type ScheduleSpec,
  stepsUntil,
  TRAIN_DEFAULTS,
  type TrainOptions,
  type TrainResult,
  train,
} from "@isthmus/training";
import { meanOfWeights } from "./mean-of-weights.ts";
import { createMemoryStore, type NetworkStore } from "./network-store.ts";
import { type CollectMethod, type CollectRates, planCollection, resolveRates } from "./plan-collection.ts";

/** Options of a training that the collection sets itself. */
type Decided = "schedule" | "epochs" | "collect" | "onEpoch" | "evaluationData" | keyof LocalTrainingOptions;

/** Options of {@link collectNetworks}. */
export interface CollectNetworksOptions extends Omit<TrainOptions, Decided>, Partial<CollectRates> {
  /** Method by which networks are collected. @defaultValue "swa" */
  readonly method?: CollectMethod;
  /** Whether the mean of the weights is computed. @defaultValue only by `swa` */
  readonly mean?: boolean | undefined;
  /**
   * Whether the network from which training starts counts in the mean, as it does for Izmailov et al.
   * @defaultValue true
   */
  readonly withStart?: boolean;
  /**
   * Examples on which batch norms of the mean are measured again.
   * @defaultValue the first 2,500 examples of the training data
   */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Store of the collected networks; needed with `statePath`, as a resumed collection must find the networks
   * collected before.
   * @defaultValue in memory
   */
  readonly store?: NetworkStore | undefined;
}

/** Results of {@link collectNetworks}, as plain data. */
export interface CollectResult {
  /** Method by which networks were collected. */
  readonly method: CollectMethod;
  /** Schedule of the learning rate. */
  readonly schedule: ScheduleSpec;
  /** Numbers of finished steps at which networks were collected. */
  readonly collectedAt: readonly number[];
  /** Number of networks in the mean; absent if no mean was computed. */
  readonly averaged?: number;
  /** Record of the training: losses, accuracies and times. */
  readonly training: TrainResult;
}

/** Networks collected along a training. */
export interface CollectedNetworks {
  /** Collected networks, in the order of the training. */
  readonly networks: readonly Checkpoint[];
  /** Mean of the weights, in memory; absent if it was not requested. */
  readonly mean?: Checkpoint;
  /** Record of the collection as plain data. */
  readonly result: CollectResult;
}

/** Weight decay of SGD with which the authors of FGE and LGV collect networks. */
export const COLLECT_WEIGHT_DECAY = 1e-4;

const OPTIMIZER = { kind: "sgd", momentum: 0.9, weightDecay: COLLECT_WEIGHT_DECAY } as const;

/** Defaults of the options of {@link collectNetworks} that neither `train` nor {@link COLLECT_RATES} has. */
export const COLLECT_NETWORKS_DEFAULTS: Required<
  Pick<CollectNetworksOptions, "method" | "mean" | "withStart" | "statisticsData" | "store" | "optimizer">
> = {
  method: "swa",
  mean: undefined,
  withStart: true,
  statisticsData: undefined,
  store: undefined,
  optimizer: OPTIMIZER,
};

/**
 * Trains a network further and collects its weights on the way: at a constant or cyclic rate for their mean
 * (SWA), at the low points of a rate that falls and rises for an ensemble (FGE), or several times an epoch at
 * a constant high rate for attacks that transfer (LGV).
 *
 * A collection that was stopped and resumes ends with the same bytes, as with `train`.
 * @throws UsageError if an option is unknown or does not belong to the method, or there is a `statePath`
 *   without a `store`
 * @throws OutOfRangeError if an option is out of its range, or cycles are shorter than a step
 * @throws InputError, MismatchError, FormatError, UnsupportedError, DivergenceError, EngineError,
 *   DOMException as `train`
 * @see Izmailov et al. 2018 (SWA), Garipov et al. 2018 (FGE), Gubri et al. 2022 (LGV)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { collectNetworks, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const start = initialize(0); // a trained network, as a rule
 * const options = { method: "lgv", seed: 0, epochs: 2, batch: 20 } as const;
 * const { networks, result } = await collectNetworks(architecture, start, data, options);
 * assert.equal(networks.length, 8); // four an epoch
 * assert.deepEqual(result.collectedAt.slice(0, 2), [3, 5]); // of 10 steps an epoch
 * ```
 */
export async function collectNetworks(
  architecture: Architecture,
  start: Checkpoint,
  data: DataSet,
  options: CollectNetworksOptions,
): Promise<CollectedNetworks> {
  const {
    method,
    mean,
    withStart,
    statisticsData,
    store: named,
    ...others
  } = { ...COLLECT_NETWORKS_DEFAULTS, ...options };
  const { rates, training } = splitRates(method, others);
  const store = named ?? createMemoryStore();
  if (training.statePath !== undefined && named === undefined) {
    throw new UsageError(
      `Cannot collect networks with state "${training.statePath}" as a resumed collection must find the networks before: give a "store" that keeps them`,
    );
  }
  const { graph } = architecture;
  const { batch } = chooseTrainOptions({ graph, data }, training);
  const { remainder = TRAIN_DEFAULTS.remainder } = training;
  const total = stepsUntil(rates.epochs, { examples: data.size, batch, remainder });
  const { schedule, steps } = planCollection(method, rates, total);
  const trained = await train(architecture, start, data, {
    ...training,
    epochs: rates.epochs,
    schedule,
    batch,
    collect: {
      steps,
      take: (step, weights) =>
        store.save(steps.indexOf(step), { ...weights, source: `network after step ${step}` }),
    },
  });
  const networks: Checkpoint[] = [];
  for (const index of steps.keys()) networks.push(await store.open(index));
  const result = { method, schedule, collectedAt: steps, training: trained.result };
  if (!(mean ?? method === "swa")) return { networks, result };
  const averaged = withStart ? [start, ...networks] : networks;
  const statistics = statisticsData ?? limitExamples("measure statistics", data, STATISTICS_EXAMPLES);
  const { signal } = training;
  return {
    networks,
    mean: await meanOfWeights(architecture, averaged, { data: statistics, signal }),
    result: { ...result, averaged: averaged.length },
  };
}

/** Separates the numbers of a method, filled in, from the options of the training. */
function splitRates<T extends Partial<CollectRates>>(
  method: CollectMethod,
  { epochs, learningRate, lowRate, cycle, ...training }: T,
): { readonly rates: CollectRates; readonly training: Omit<T, keyof CollectRates> } {
  return { rates: resolveRates(method, { epochs, learningRate, lowRate, cycle }), training };
}
