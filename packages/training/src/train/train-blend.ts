import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  assertNetwork,
  type DataSet,
  fingerprintWeights,
  type Graph,
} from "@isthmus/graph";
import type { Blend, PointWeights } from "../blend/blend.ts";
import { createBlendFeeder, trainedPoints } from "../blend/create-blend-feeder.ts";
import { joinPoints } from "../blend/join-points.ts";
import { assertNotLocal } from "../local/assert-not-local.ts";
import type { LocalTrainingOptions } from "../local/local-training.ts";
import { createStepRunner } from "./create-step-runner.ts";
import { describeRun, type RunDescription } from "./describe-run.ts";
import { prepareSteps } from "./prepare-steps.ts";
import { resolveTrainOptions } from "./resolve-train-options.ts";
import { runEpochs } from "./run-epochs.ts";

import type { ResolvedTrainOptions, TrainOptions } from "./train-options.ts";

import type { TrainResult } from "./train-result.ts";
import { startOf } from "./training-state.ts";

/** An architecture, an engine and the data to train a blend on. */
interface BlendTraining extends Architecture {
  readonly data: DataSet;
}

/** Trained points of a blend. */
export interface TrainedBlend {
  /**
   * Every trained point, by its name; in memory, in the order of the graph. Training a blend changes neither
   * whole numbers nor running statistics of norms: the latter must be measured again afterwards.
   */
  readonly points: ReadonlyMap<string, Checkpoint>;
  /** Result whose losses and accuracies were measured on the blends at which steps were made. */
  readonly result: TrainResult;
}

/**
 * Trains some of several networks so that weighted sums of all of them are good: every step is made at one
 * such blend, as one call of the engine, and changes the trained points by their share of the gradient.
 *
 * It works like `train` otherwise, and is as exact: a training that was stopped and resumes ends with the
 * same bytes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openDataSet } from "@isthmus/data";
 * import { bindWeights } from "@isthmus/graph";
 * import { trainBlend } from "@isthmus/training";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const data = await openDataSet("mnist:train@1000");
 * const { graph, initialize } = parseNetwork("mlp:16", data);
 * const end = await bindWeights(graph, initialize(0));
 * const { points } = await trainBlend(
 *   { graph, engine: createOnnxRuntimeEngine() },
 *   {
 *     points: [
 *       { name: "end", trained: false },
 *       { name: "bend", trained: true },
 *     ],
 *     start: new Map([["bend", initialize(1)]]),
 *     description: { end: 0 }, // what a state must agree with to be resumed from
 *     at: (step) => {
 *       const t = (step % 10) / 10;
 *       return { coefficients: [1 - t, t], given: new Map([["end", end]]) };
 *     },
 *   },
 *   data,
 *   { seed: 0, epochs: 2 },
 * );
 * assert.deepEqual([...points.keys()], ["bend"]);
 * ```
 *
 * @throws OutOfRangeError if an option is out of its range, no point is trained, or the blend of a step lacks
 *   coefficients or weights
 * @throws MismatchError if weights, loss or data do not fit the graph, or the state is of another training
 * @throws UsageError if an option is unknown
 * @throws InputError, FormatError, UnsupportedError, DivergenceError, EngineError, DOMException as `train`
 */
export async function trainBlend(
  { graph, engine }: Architecture,
  blend: Blend,
  data: DataSet,
  options: Omit<TrainOptions, "onEpoch" | "collect" | "evaluationData" | keyof LocalTrainingOptions>,
): Promise<TrainedBlend> {
  const training = { graph, engine, data };
  assertNotLocal("a blend of networks", options);
  const resolved = resolveTrainOptions(training, options, 1);
  const { seed, threads } = resolved;
  for (const start of blend.start.values()) assertNetwork(graph, start);
  const prepared = await prepareSteps({ ...training, blend }, resolved);
  const { step } = prepared;
  const runner = await createStepRunner(step, prepared.engine, joinPoints(step, blend.start), {
    seed,
    threads,
    returnsEach: blend.afterStep !== undefined || resolved.constraint?.applyInPlace !== undefined,
  });
  try {
    const feeder = createBlendFeeder(blend, step, runner);
    const run = await describeBlend(training, blend, resolved);
    const start = await startOf(resolved, run, new Map([...(await runner.carried()), ...feeder.stored]));
    const parts = { ...prepared, runner, evaluator: undefined, data, run, blend: feeder };
    const result = await runEpochs(parts, start, resolved);
    return { points: await collectPoints(graph, blend, await trainedPoints(step, runner)), result };
  } finally {
    await runner.release();
  }
}

async function describeBlend(
  { graph, engine, data }: BlendTraining,
  { points, decay, start, description }: Blend,
  options: ResolvedTrainOptions,
): Promise<RunDescription> {
  const starts = await Promise.all(
    [...start].map(async ([name, weights]) => [name, await fingerprintWeights(graph, weights)]),
  );
  const run = await describeRun({ graph, engine: engine.name, data }, options);
  return { ...run, blend: { points, decay, start: Object.fromEntries(starts), description } };
}

async function collectPoints(
  graph: Graph,
  { start }: Blend,
  trained: ReadonlyMap<string, PointWeights>,
): Promise<Map<string, Checkpoint>> {
  const points = new Map<string, Checkpoint>();
  for (const [point, weights] of trained) {
    const tensors = new Map<string, Tensor>();
    for (const name of graph.weights.keys()) {
      const tensor = weights.get(name) ?? (await start.get(point)?.read(name));
      if (tensor !== undefined) tensors.set(name, tensor);
    }
    points.set(point, createCheckpoint(tensors, {}, `trained ${point}`));
  }
  return points;
}
