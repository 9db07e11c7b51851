import {
  formatShape,
  InputError,
  MismatchError,
  OutOfRangeError,
  sameShape,
  type Tensor,
} from "@isthmus/core";
import {
  chooseOutput,
  type DataSet,
  type Engine,
  type FeedPlan,
  type Graph,
  lossParts,
  planFeeds,
  scoreBy,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import { type Batches, createBatches, type EpochOrder } from "../batches/create-batches.ts";
import type { Blend } from "../blend/blend.ts";
import type { StepLoss } from "../loss/loss-spec.ts";
import { carriedOutputs } from "../step/carried-outputs.ts";
import { createTrainingStep, type TrainingStepOptions } from "../step/create-training-step.ts";
import type { TrainingStep } from "../step/training-step.ts";
import { createTargetFiller, type TargetFiller } from "./create-target-filler.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";
import { assertNoWorkState } from "./work-state.ts";

/** Steps by the engine and the graph they were made with, kept while both are in use. */
const REMEMBERED = new WeakMap<Engine, WeakMap<Graph, Steps>>();

/** A step and everything that feeds it examples; weights are not part of it. */
export interface PreparedSteps {
  /** Step of training as a graph. */
  readonly step: TrainingStep;
  /** Batches of examples, changed at random if asked for, step by step. */
  readonly batches: Batches;
  /** Filler of targets and their weights, from the current batch. */
  readonly filler: TargetFiller;
  /** Engine to run the step: the given one, or the one that it chose for the step. */
  readonly engine: Engine;
  /** Plan that tells which data inputs of the network take which tensors of a batch. */
  readonly plan: FeedPlan;
}

type Steps = Map<string, Promise<TrainingStep>>;

/** Options of a training whose loss may be against a teacher. */
export type SteppedOptions = Omit<ResolvedTrainOptions, "loss"> & {
  /** Loss of every step. */
  readonly loss: StepLoss;
};

/** Checks that a training fits its data and its state, and makes its step. */
export async function prepareSteps(
  {
    graph,
    engine,
    data,
    blend,
    corrected = false,
    gradientsOnly = false,
    openOrder,
  }: {
    readonly graph: Graph;
    readonly engine: Engine;
    readonly data: DataSet;
    readonly blend?: Pick<Blend, "points" | "decay">;
    /** Whether the step takes tensors that are added to its gradients. */
    readonly corrected?: boolean;
    /** Whether the step returns gradients instead of updating parameters. */
    readonly gradientsOnly?: boolean;
    /** Returns the order of examples, once it is known that training can begin. */
    readonly openOrder?: () => Promise<EpochOrder | undefined>;
  },
  options: SteppedOptions,
): Promise<PreparedSteps> {
  const { statePath, resume, signal, batch, loss, optimizer, freeze, proximal, wasserstein } = options;
  signal?.throwIfAborted();
  assertEnoughExamples(data, options);
  if (statePath !== undefined && !resume) await assertNoWorkState("train", statePath);
  const plan = planFeeds("train", graph, data, batch);
  const { seed, remainder, augment } = options;
  const batches = createBatches(data, { seed, batch, remainder, augment, order: await openOrder?.() });
  const making: Omit<TrainingStepOptions, "inPlace"> = {
    batch,
    loss,
    optimizer,
    extents: plan.extents,
    freeze,
    proximal,
    corrected,
    gradientsOnly,
    wasserstein,
    masked: [...(options.constraint?.masks?.keys() ?? [])],
    ...(blend === undefined ? {} : { blend: blend.points, blendDecay: blend.decay ?? "points" }),
    ...(signal === undefined ? {} : { signal }),
  };
  const stepFor = (one: Engine): Promise<TrainingStep> => {
    // A constraint compares weights before and after the step.
    const inPlace = one.sharesMemory === true && options.constraint === undefined;
    return rememberStep(graph, one, { ...making, inPlace });
  };
  const { threads } = options;
  const workFor = async (one: Engine) => {
    const made = await stepFor(one);
    // Tensors that a constraint changes after every step are fed again.
    const changed = options.constraint?.applyInPlace !== undefined || options.move !== undefined;
    const carried = changed ? new Map<string, string>() : carriedOutputs(made);
    return { graph: made.graph, options: { threads, carried } };
  };
  const chosen = (await engine.choose?.(workFor)) ?? engine;
  const step = await stepFor(chosen);
  assertExamplesFit(step, data, plan.feedsOf(batches.current));
  const classes = assertClasses({ graph, step, loss }, data);
  return {
    step,
    engine: chosen,
    batches,
    plan,
    filler: createTargetFiller(step, batches.current, {
      classes,
      data,
      isTaught: loss.kind === "distillation",
    }),
  };
}

/**
 * Checks that there are enough examples for a batch.
 * @throws InputError if the data set is empty
 * @throws OutOfRangeError if a batch is larger than the data set
 */
function assertEnoughExamples({ name, size }: DataSet, { batch }: SteppedOptions): void {
  if (size === 0) {
    throw new InputError(`Cannot train on "${name}" as it must have examples: it is empty`, { input: name });
  }
  if (batch <= size) return;
  throw new OutOfRangeError(
    `Cannot train on "${name}" as a batch must be at most the data set: it is ${batch} of ${size} examples; choose a smaller batch`,
  );
}

/**
 * Checks that batches can be fed to a step.
 * @param feeds - a tensor of a batch for every data input of the network
 * @throws MismatchError if a tensor differs from the step's input in shape or element type
 */
function assertExamplesFit(step: TrainingStep, data: DataSet, feeds: ReadonlyMap<string, Tensor>): void {
  const types = typesOf(step.graph);
  for (const [name, { dtype, shape }] of feeds) {
    const expected = types.get(name);
    if (expected === undefined || (expected.dtype === dtype && sameShape(expected.shape, shape))) continue;
    const [batch] = expected.shape;
    if (batch !== undefined && batch !== step.batch) {
      throw new MismatchError(
        `Cannot train on "${data.name}" as the graph's input "${name}" takes batches of ${batch} examples: they are of ${step.batch}; choose that batch, or let the graph take any with freeBatch()`,
        { parameters: [name] },
      );
    }
    throw new MismatchError(
      `Cannot train on "${data.name}" as its examples must fit the graph's input "${name}", ${expected.dtype} ${formatShape(expected.shape.slice(1))}: they are ${dtype} ${formatShape(shape.slice(1))}`,
      { parameters: [name] },
    );
  }
}

/**
 * Returns the number of classes that labels may have: for cross-entropy as many as there are logits, else as
 * many as the data set has.
 * @throws InputError if the data set has labels beyond the logits
 */
function assertClasses(
  { graph, step, loss }: { readonly graph: Graph; readonly step: TrainingStep; readonly loss: StepLoss },
  data: DataSet,
): number {
  if (loss.kind === "several") {
    for (const part of lossParts("train", scoreBy(graph, loss.outputs), data)) {
      const term = loss.terms?.[part.name];
      if (term !== undefined) assertClasses({ graph: part.graph, step, loss: term }, part.data);
    }
  }
  if (loss.kind !== "cross-entropy") return data.classes;
  const { logits, classAxis = -1 } = loss;
  const output = chooseOutput("train", logits === undefined ? graph : { ...graph, scored: logits }, data);
  const shape = typesOf(step.graph).get(output.name)?.shape ?? output.shape;
  const classes = shape?.at(classAxis);
  if (typeof classes !== "number" || data.classes <= classes) {
    return typeof classes === "number" ? classes : data.classes;
  }
  throw new InputError(
    `Cannot train on "${data.name}" as labels must be below the ${classes} classes of the graph: the largest is ${data.classes - 1}`,
    { input: data.name },
  );
}

/**
 * Makes a step as `createTrainingStep` does, or returns the step that was made with the same engine, graph
 * and options before: clients of a federation train the same network thousands of times, and making the step
 * takes longer than their few steps do. Steps of blends are made anew.
 */
export async function rememberStep(
  graph: Graph,
  engine: Engine,
  options: TrainingStepOptions,
): Promise<TrainingStep> {
  const { signal: _, proximal, ...decisive } = options;
  if (options.blend !== undefined) return createTrainingStep(graph, engine, options);
  const steps = stepsOf(graph, engine);
  const key = JSON.stringify({ ...decisive, mu: proximal?.mu });
  const remembered = steps.get(key);
  if (remembered !== undefined) return remembered;
  const made = createTrainingStep(graph, engine, options);
  steps.set(key, made);
  try {
    return await made;
  } catch (error) {
    // A failure, perhaps an abort, must not be remembered.
    steps.delete(key);
    throw error;
  }
}

function stepsOf(graph: Graph, engine: Engine): Steps {
  const ofEngine = REMEMBERED.get(engine) ?? new WeakMap<Graph, Steps>();
  REMEMBERED.set(engine, ofEngine);
  const steps: Steps = ofEngine.get(graph) ?? new Map();
  ofEngine.set(graph, steps);
  return steps;
}
