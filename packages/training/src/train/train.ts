import { type Checkpoint, createCheckpoint, createTensor, entry, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  assertCausal,
  assertNetwork,
  type DataSet,
  type Engine,
  fingerprintWeights,
  type Graph,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import { bindParameters, trainedPart } from "../local/bind-parameters.ts";
import type { ControlVariateUpdate } from "../local/control-variates.ts";
import type { ResolvedLocalTraining } from "../local/local-training.ts";
import { correctsGradients, openControl } from "../local/open-control.ts";
import { openCurriculum } from "../local/open-curriculum.ts";
import type { TrainingStep } from "../step/training-step.ts";
import { createNetworkEvaluator, type NetworkEvaluator } from "./create-network-evaluator.ts";
import { createStepRunner } from "./create-step-runner.ts";
import { describeRun, type RunDescription } from "./describe-run.ts";
import { prepareSteps } from "./prepare-steps.ts";
import { resolveTrainOptions } from "./resolve-train-options.ts";
import { runEpochs } from "./run-epochs.ts";
import type { ResolvedTrainOptions, TrainOptions } from "./train-options.ts";
import type { TrainResult } from "./train-result.ts";
import { startOf } from "./training-state.ts";

/** A network and the data to train it on. */
interface Training {
  /** Architecture of the network; every operator needs a gradient rule. */
  readonly graph: Graph;
  readonly engine: Engine;
  /** Weights to start from. */
  readonly weights: Checkpoint;
  /** Examples to train on. */
  readonly data: DataSet;
  /** Examples to evaluate on after every epoch. */
  readonly evaluationData?: DataSet | undefined;
}

/** A trained network. */
export interface Trained {
  /** Its weights, in the order of the graph; in memory. */
  readonly weights: Checkpoint;
  /** Record of the training: losses, accuracies and times. */
  readonly result: TrainResult;
  /**
   * Control variates that a client sends and keeps, with {@link TrainOptions.controlVariates}; missing
   * without.
   */
  readonly controlVariates?: ControlVariateUpdate;
}

/**
 * Trains a network. Every step is one call of the engine, which takes a batch, the parameters and the
 * optimiser's state and returns the next parameters and state.
 *
 * The order of examples, the changes of images and the elements that dropout drops depend only on the seed
 * and on the number of the step or epoch. A training that was stopped and resumes therefore ends with the
 * same bytes as one that was not.
 * @throws InputError if data are empty or have labels that are no class, a language model sees the token that
 *   it is to predict, or a state would be replaced
 * @throws MismatchError if the weights, the loss or the data do not fit the graph, or the state is of another
 *   training
 * @throws FormatError if the state is damaged
 * @throws UnsupportedError if an operator has no gradient rule, or examples to be changed are not images
 * @throws DivergenceError if a loss or a weight is not finite; the last good state is left in place
 * @throws EngineError if the engine fails
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of its range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, train } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const { weights, result } = await train(architecture, initialize(0), data, { seed: 0, epochs: 1 });
 * assert.equal(weights.tensors.size, 4); // a checkpoint, ready for saveCheckpoint
 * assert(result.epochs.length === 1);
 * ```
 */
export async function train(
  { graph, engine }: Architecture,
  weights: Checkpoint,
  data: DataSet,
  { evaluationData, ...options }: TrainOptions,
): Promise<Trained> {
  const training = { graph, engine, weights, data, evaluationData };
  const resolved = resolveTrainOptions(training, options);
  const { seed, threads } = resolved;
  assertNetwork(graph, weights);
  if (resolved.loss.kind === "next-token") await assertCausal("train", { graph, engine }, weights, data);
  const network = { graph, engine, weights, data };
  const { controlVariates } = resolved;
  const corrected = await correctsGradients(graph, controlVariates);
  const openOrder = () => openCurriculum(network, resolved);
  const prepared = await prepareSteps({ ...training, corrected, openOrder }, resolved);
  const { step } = prepared;
  const part = trainedPart(graph, step);
  const control = controlVariates && (await openControl(network, step, controlVariates, resolved));
  const constants = new Map([
    ...(await openReferences(part, step, training, resolved)),
    ...(control?.inputs ?? []),
    ...weightMasks(step, resolved),
  ]);
  const open: { release(): Promise<void> }[] = [];
  try {
    const evaluator = await openEvaluator(training, resolved);
    if (evaluator !== undefined) open.push(evaluator);
    const returnsEach = resolved.constraint?.applyInPlace !== undefined || resolved.move !== undefined;
    const runner = await createStepRunner(step, prepared.engine, weights, { seed, threads, returnsEach });
    open.push(runner);
    const run =
      resolved.statePath === undefined
        ? {} // nothing is resumed from it, and hashing the data would take longer than a few steps
        : {
            ...(await describeRun({ graph, engine: prepared.engine.name, weights, data }, resolved)),
            ...(await describeLocalTraining({ graph, part }, resolved)),
          };
    const start = await startOf(resolved, run, await runner.carried());
    const collect = async () =>
      collectWeights(graph, new Map([...runner.fixed, ...(await runner.carried())]));
    const { onEpoch: follow } = resolved;
    const onEpoch = async (epochs: number) => follow?.(epochs, await collect());
    const taken = resolved.collect;
    const parts = {
      ...prepared,
      runner,
      evaluator,
      data,
      run,
      onEpoch,
      constants,
      collect: taken && {
        steps: new Set(taken.steps),
        take: async (at: number) => taken.take(at, await collect()),
      },
    };
    const result = await runEpochs(parts, start, resolved);
    const next = await control?.finish(await runner.carried(), result.steps);
    return { weights: await collect(), result, ...(next && { controlVariates: next }) };
  } finally {
    for (const resource of open) await resource.release();
  }
}

/** Reads the weights that a proximal term stays near, by the data inputs that take them. */
async function openReferences(
  part: Graph,
  { references }: TrainingStep,
  { weights }: Pick<Training, "weights">,
  { proximal }: ResolvedTrainOptions,
): Promise<Map<string, Tensor>> {
  if (proximal === undefined) return new Map();
  const tensors = await bindParameters(part, proximal.reference ?? weights, "reference");
  return new Map([...references].map(([name, input]) => [input, entry(tensors, name, "reference")]));
}

/** Returns the masks of a constraint by the data inputs of the step that take them. */
function weightMasks({ graph, weightMasks }: TrainingStep, { constraint }: ResolvedTrainOptions) {
  const types = typesOf(graph);
  return [...weightMasks].map(([name, input]): [string, Tensor] => {
    const { shape } = entry(types, input, "mask");
    return [input, createTensor("bool", shape, entry(constraint?.masks ?? new Map(), name, "mask"))];
  });
}

async function openEvaluator(
  { graph, engine, evaluationData }: Training,
  { loss, batch, threads }: ResolvedTrainOptions,
): Promise<NetworkEvaluator | undefined> {
  if (evaluationData === undefined) return undefined;
  return createNetworkEvaluator({ graph, engine, data: evaluationData, loss, batch, threads });
}

/**
 * Returns a checkpoint of the weights of a graph, in its order, chosen from tensors: of copies, as steps
 * change the tensors, and as one in the memory of a kernel keeps the whole of it.
 */
export function collectWeights(graph: Graph, tensors: ReadonlyMap<string, Tensor>): Checkpoint {
  const trained = [...graph.weights.keys()].map((name) => {
    const tensor = entry(tensors, name, "weight");
    return [name, { ...tensor, data: tensor.data.slice() }] as const;
  });
  return createCheckpoint(new Map(trained), {}, "trained network");
}

/**
 * Describes the options of a client's training, so that it can be compared with another: networks by their
 * fingerprints. Options that are left out are not described, so that states of trainings without them stay
 * valid.
 * @param graph - all weights of the network
 * @param part - its trained parameters alone
 */
async function describeLocalTraining(
  { graph, part }: { readonly graph: Graph; readonly part: Graph },
  { proximal, controlVariates, curriculum, wasserstein, constraint, move }: ResolvedLocalTraining,
): Promise<RunDescription> {
  const describe = async (weights: Graph, checkpoint: Checkpoint | undefined) =>
    checkpoint === undefined ? undefined : fingerprintWeights(weights, checkpoint);
  return {
    ...(proximal && { proximal: { ...proximal, reference: await describe(part, proximal.reference) } }),
    ...(controlVariates && {
      controlVariates: {
        ...controlVariates,
        server: await describe(part, controlVariates.server),
        client: await describe(part, controlVariates.client),
      },
    }),
    ...(curriculum && {
      curriculum: { ...curriculum, scoredBy: await describe(graph, curriculum.scoredBy) },
    }),
    ...(wasserstein && { wasserstein }),
    ...(constraint && { constraint: constraint.description }),
    ...(move && { move: { ...move.description, every: move.every } }),
  };
}
