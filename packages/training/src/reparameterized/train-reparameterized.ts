import { type Checkpoint, entry, type Tensor, UnsupportedError, UsageError } from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet } from "@isthmus/graph";
import { assertNotLocal } from "../local/assert-not-local.ts";
import type { LocalTrainingOptions } from "../local/local-training.ts";
import type { TrainingStep } from "../step/training-step.ts";
import { createNetworkEvaluator } from "../train/create-network-evaluator.ts";
import { describeRun } from "../train/describe-run.ts";
import { prepareSteps } from "../train/prepare-steps.ts";
import { resolveTrainOptions } from "../train/resolve-train-options.ts";
import { runEpochs } from "../train/run-epochs.ts";
import { collectWeights } from "../train/train.ts";
import type { ResolvedTrainOptions, TrainOptions } from "../train/train-options.ts";
import type { TrainResult } from "../train/train-result.ts";
import { startOf } from "../train/training-state.ts";
import { createReparameterizedRunner } from "./create-reparameterized-runner.ts";
import type { Reparameterize } from "./reparameterization.ts";

/** Options of {@link trainReparameterized}: all options of `train` but the ones for clients' networks. */
export type TrainReparameterizedOptions = Omit<TrainOptions, keyof LocalTrainingOptions>;

/** A network to train in coordinates. */
export interface ReparameterizedNetwork {
  /** Weights that training starts from, at which all coordinates are zero. */
  readonly start: Checkpoint;
  /** Maker of the map from coordinates to the trained parameters, given these at the start. */
  readonly reparameterize: Reparameterize;
}

/** A network that was trained in coordinates. */
export interface TrainedCoordinates {
  /** The network's weights, in the order of the graph; in memory. */
  readonly weights: Checkpoint;
  /** The coordinates that its trained parameters belong to. */
  readonly coordinates: Float32Array;
  /** Record of the training: losses, accuracies and times. */
  readonly result: TrainResult;
}

/**
 * Trains a network by coordinates that its parameters are computed from: optimisers, weight decay and
 * clipping act on the coordinates.
 *
 * It works like `train` otherwise, and is as exact: a training that was stopped and resumes ends with the
 * same bytes.
 * @throws UsageError if an option is unknown, or the optimiser is sharpness-aware
 * @throws UnsupportedError if a trained parameter is not f32
 * @throws InputError, MismatchError, OutOfRangeError, FormatError, DivergenceError, EngineError, DOMException
 *   as `train`
 */
export async function trainReparameterized(
  { graph, engine }: Architecture,
  { start, reparameterize }: ReparameterizedNetwork,
  data: DataSet,
  { evaluationData, ...options }: TrainReparameterizedOptions,
): Promise<TrainedCoordinates> {
  assertNotLocal("in coordinates", options);
  const resolved = resolveTrainOptions({ graph, data }, options);
  assertOneGradient(resolved);
  assertNetwork(graph, start);
  const prepared = await prepareSteps({ graph, engine, data, gradientsOnly: true }, resolved);
  const { step } = prepared;
  const weights = await bindWeights(graph, start);
  const reparameterization = reparameterize(trainedTensors(step, weights));
  const open: { release(): Promise<void> }[] = [];
  try {
    const { loss, batch, threads } = resolved;
    const evaluated = { graph, engine, loss, batch, threads };
    const evaluator =
      evaluationData && (await createNetworkEvaluator({ ...evaluated, data: evaluationData }));
    if (evaluator !== undefined) open.push(evaluator);
    const runner = await createReparameterizedRunner(
      { step, engine: prepared.engine, weights, reparameterization },
      resolved,
    );
    open.push(runner);
    const described = { graph, engine: engine.name, weights: start, data };
    const run =
      resolved.statePath === undefined
        ? {}
        : { ...(await describeRun(described, resolved)), coordinates: reparameterization.description };
    const position = await startOf(resolved, run, await runner.carried());
    await runner.place(position.step);
    const collect = async () =>
      collectWeights(graph, new Map([...runner.fixed, ...(await runner.carried())]));
    const { onEpoch: follow } = resolved;
    const onEpoch = async (epochs: number) => follow?.(epochs, await collect());
    const result = await runEpochs(
      { ...prepared, runner, evaluator, data, run, onEpoch },
      position,
      resolved,
    );
    return { weights: await collect(), coordinates: (await runner.coordinates()).slice(), result };
  } finally {
    for (const resource of open) await resource.release();
  }
}

function assertOneGradient({ optimizer }: ResolvedTrainOptions): void {
  if (optimizer.kind !== "sam") return;
  throw new UsageError(
    `Cannot train in coordinates with optimizer "sam" as a step has one gradient: choose sgd, adam or adamw`,
  );
}

/** Returns the trained parameters in the step's order. */
function trainedTensors(
  { graph, gradients }: TrainingStep,
  weights: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const trained = [...(gradients?.keys() ?? [])].map(
    (name) => [name, entry(weights, name, "weight")] as const,
  );
  for (const [name, { dtype }] of trained) {
    if (dtype === "f32") continue;
    throw new UnsupportedError(
      `Cannot train graph "${graph.name}" in coordinates as trained parameters must be f32: "${name}" is ${dtype}; freeze it, or convert the network`,
      { feature: `${dtype} parameters` },
    );
  }
  return new Map(trained);
}
