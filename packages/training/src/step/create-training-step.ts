import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { MismatchError, OutOfRangeError } from "@isthmus/core";
import { type Engine, type Graph, specialize } from "@isthmus/graph";
import { GraphBuilder, type Value } from "@isthmus/graph/builder";
import { capturedNames, gradientName } from "@isthmus/graph/ir";
import type { BlendDecay, BlendPoint } from "../blend/blend-point.ts";
import { type CorrectedGradients, correctGradients } from "../local/correct-gradients.ts";
import { moveExamples } from "../local/move-examples.ts";
import { type ProximalOptions, resolveProximal } from "../local/proximal.ts";
import { resolveWasserstein, type WassersteinOptions } from "../local/wasserstein.ts";
import { attachLoss } from "../loss/attach-loss.ts";
import type { StepLoss } from "../loss/loss-spec.ts";
import { toTrainingMode } from "../mode/to-training-mode.ts";
import type { Objective } from "../objective.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import { type ResolvedOptimizer, resolveOptimizer } from "../optimizer/optimizers.ts";
import { StepScalars } from "../optimizer/step-scalars.ts";
import { maskUpdates } from "./mask-updates.ts";
import { chooseTarget, type StepTarget } from "./step-target.ts";
import type { TrainingStep } from "./training-step.ts";
import { type CarriedValue, isParameter, updatesOf } from "./update-parameters.ts";

/** Options of {@link createTrainingStep}. */
export interface TrainingStepOptions {
  /** Examples in a batch, at least 1. */
  readonly batch: number;
  /** Loss to minimise. */
  readonly loss: StepLoss;
  /** Optimiser, which decides how parameters change in the step. */
  readonly optimizer: OptimizerSpec;
  /**
   * Extents of symbolic dimensions other than the batch, such as a sequence's length, by name; 8 for
   * dimensions not listed. @defaultValue none
   */
  readonly extents?: Readonly<Record<string, number>>;
  /**
   * Names of parameters that are not trained; `*` matches any characters. Running statistics of norms change
   * all the same. @defaultValue none
   */
  readonly freeze?: readonly string[];
  /**
   * Points whose weighted sum is the network at which the step is made; the step then changes the trained
   * points. `freeze` and the optimiser's exclusions still name weights of the network. Norms normalise by the
   * batch; running statistics belong to no point, and are left out.
   * @defaultValue none: the network itself is trained
   */
  readonly blend?: readonly BlendPoint[];
  /** Weights that weight decay acts on in a blend, see {@link BlendDecay}. @defaultValue "points" */
  readonly blendDecay?: BlendDecay;
  /**
   * Strength of a proximal term; the step then takes the reference weights as inputs, see `references` of
   * {@link TrainingStep}. @defaultValue none
   */
  readonly proximal?: Pick<ProximalOptions, "mu"> | undefined;
  /**
   * Whether a tensor is added to each gradient; the step then takes these tensors as inputs, see
   * `corrections` of {@link TrainingStep}. @defaultValue false
   */
  readonly corrected?: boolean;
  /**
   * Names of trained weights whose elements the step sets to zero by masks, see `weightMasks` of
   * {@link TrainingStep}. @defaultValue none
   */
  readonly masked?: readonly string[];
  /** Options for moving examples before the step is made. @defaultValue none: they are not moved */
  readonly wasserstein?: WassersteinOptions | undefined;
  /**
   * Whether the step updates nothing, and returns the gradients by the trained parameters instead, see
   * `gradients` of {@link TrainingStep}. @defaultValue false
   */
  readonly gradientsOnly?: boolean;
  /**
   * Whether parameters may be updated in place by the step's runner, for engines that share the memory of
   * tensors, see `inPlace` of {@link TrainingStep}; the bits are the same. @defaultValue false
   */
  readonly inPlace?: boolean;
  /** Signal that stops the construction of the graph. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a graph of one training step of a network: the network in training mode, loss, gradients, clipping
 * and update.
 *
 * @param graph - as exported for inference or as the zoo builds it
 * @throws MismatchError if the loss does not fit the graph, or there is nothing to train
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws EngineError if the engine cannot run the graph
 * @throws OutOfRangeError if an option is out of its range, or no point of a blend is trained
 * @throws UsageError if an option of the optimiser or the loss is unknown
 */
export async function createTrainingStep(
  graph: Graph,
  engine: Engine,
  options: TrainingStepOptions,
): Promise<TrainingStep> {
  const {
    batch,
    loss,
    optimizer: spec,
    extents = {},
    freeze = [],
    blend,
    blendDecay = "points",
    corrected = false,
    masked = [],
    gradientsOnly = false,
    inPlace = false,
    signal,
  } = options;
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new OutOfRangeError(
      `Cannot train graph "${graph.name}" as a batch must be a whole number of at least 1: it is ${batch}`,
    );
  }
  const optimizer = resolveOptimizer(spec);
  const mu = resolveProximal(options.proximal)?.mu;
  const wasserstein = resolveWasserstein(options.wasserstein);
  const typed = await specialize({ graph, engine }, { batch, extents, ...(signal && { signal }) });
  const objective = attachLoss(typed, loss);
  assertBatch(objective, batch);
  const mode = toTrainingMode(objective.graph);
  const target = chooseTarget(mode, { freeze, points: blend, decay: blendDecay });
  const withRespectTo = [...target.trained.keys()];
  const differentiated = gradient(target.graph, {
    loss: objective.loss,
    withRespectTo,
    // Only engines of the processor share memory.
    convolvesExamples: engine.sharesMemory === true,
  });
  const moved =
    wasserstein === undefined
      ? differentiated
      : moveExamples({ forward: target.graph, differentiated, objective, batch }, wasserstein);
  const by = { loss: objective.loss, parameters: withRespectTo };
  const gradients = correctGradients(moved, by, { mu, corrected });
  return assembleStep({
    batch,
    objective,
    target,
    optimizer: gradientsOnly ? undefined : optimizer,
    // A weight of a blend decays by its share, which only the graph knows.
    inPlace: inPlace && blend === undefined,
    gradients,
    masked,
  });
}

/** A graph with gradients, and everything that decides how a step uses them. */
interface StepParts {
  readonly batch: number;
  readonly objective: Objective;
  readonly target: StepTarget;
  /** Optimiser; undefined if the step returns gradients, and updates nothing. */
  readonly optimizer: ResolvedOptimizer | undefined;
  /** Whether parameters may be updated in place. */
  readonly inPlace: boolean;
  /** Graph of the target with an output for the gradient by each trained weight. */
  readonly gradients: CorrectedGradients;
  /** Names of weights whose updates are masked. */
  readonly masked: readonly string[];
}

/** Adds the update to a graph with gradients, and describes the graph as a step. */
function assembleStep({ batch, objective, target, optimizer, inPlace, ...parts }: StepParts): TrainingStep {
  const { graph: differentiated, references, corrections } = parts.gradients;
  const { loss, examples, targets, targetWeights, terms, metrics } = objective;
  const builder = GraphBuilder.from(differentiated);
  const scalars = new StepScalars(builder, differentiated);
  const parameters = [...target.trained.keys()].map((name) => builder.value(name));
  const updated = { graph: differentiated, loss, parameters, trained: target.trained };
  const update = optimizer === undefined ? { updates: [] } : updatesOf(optimizer, scalars, updated, inPlace);
  const { norm } = update;
  const { updates, weightMasks } = maskUpdates(builder, differentiated, update.updates, parts.masked);
  const returned = optimizer === undefined ? parameters.map(({ name }) => name) : [];
  const gradients = new Map(returned.map((name) => [name, gradientName(loss, name)]));
  const statistics = [...target.statistics].map(([name, output]): CarriedValue => {
    return { input: builder.value(name), output: builder.value(output), role: "statistic" };
  });
  const carried = [
    ...updates.filter(isParameter),
    ...statistics,
    ...updates.filter((update) => !isParameter(update)),
  ];
  const watched = [...metrics].map(([what, name]): [string, Value] => [what, builder.value(name)]);
  if (norm !== undefined) watched.push(["gradientNorm", norm]);
  const outputs = [
    builder.value(loss),
    ...watched.map(([, value]) => value),
    ...carried.flatMap(({ output }) => output ?? []),
    ...(update.inPlace?.parameters ?? []).map(({ gradient: name }) => builder.value(name)),
    ...[...gradients.values()].map((name) => builder.value(name)),
  ];
  const graph = lowerBatchNorm(builder.build(outputs));
  return {
    graph: target.points === undefined ? graph : withoutUnusedWeights(graph),
    batch,
    examples,
    targets: targets.name,
    ...(targetWeights === undefined ? {} : { targetWeights }),
    ...(terms && { terms }),
    carried: carried.map(({ input: { name, dtype, shape }, output, role }) => {
      return { input: name, ...(output && { output: output.name }), role, dtype, shape };
    }),
    ...(update.inPlace && { inPlace: update.inPlace }),
    scalars: scalars.inputs,
    masks: target.masks,
    references,
    corrections,
    weightMasks,
    ...(gradients.size === 0 ? {} : { gradients }),
    ...(target.points === undefined ? {} : { blend: target.points }),
    loss,
    metrics: new Map(watched.map(([what, { name }]) => [what, name])),
  };
}

/** Removes weights that no node uses: running statistics, once norms take the statistics of the batch. */
function withoutUnusedWeights(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]));
  return { ...graph, weights: new Map([...graph.weights].filter(([name]) => used.has(name))) };
}

function assertBatch({ graph, examples }: Objective, batch: number): void {
  const extent = graph.inputs.find(({ name }) => name === examples)?.shape?.[0];
  if (extent === batch) return;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" by batches of ${batch} as its input must take as many examples: "${examples}" takes ${extent ?? "none"}`,
    { parameters: [] },
  );
}
