import { at, type Checkpoint, resolveFields } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { rm } from "@isthmus/platform";
import {
  countBatchNorms,
  holdInMemory,
  recalibrateBatchNorm,
  STATISTICS_EXAMPLES,
} from "@isthmus/statistics";
import type { TrainProgress } from "@isthmus/training";
import { hypervolume } from "./hypervolume.ts";
import { measureFront, type SharedNetwork } from "./measure-front.ts";
import { PARETO_FIELDS, type ParetoChoice } from "./pareto-options.ts";
import type { Front, ParetoResult } from "./pareto-result.ts";
import {
  type TaskTrainingOptions,
  type TrainParetoOptions,
  trainPareto,
  trainScalarised,
} from "./train-pareto.ts";

/** Progress of {@link comparePareto}. */
export interface ParetoProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Work under way: one of the two trainings, or the measurement of all networks. */
  readonly phase: "manifold" | "scalarised" | "measuring";
  /** Progress of the present training; absent while networks are measured. */
  readonly training?: TrainProgress;
}

/** Options of {@link comparePareto}. */
export interface CompareParetoOptions
  extends Omit<TrainParetoOptions, "onProgress" | "statePath" | "resume">,
    ParetoChoice {
  /**
   * File of the state of the training of the manifold, from which the training can resume; the caller removes
   * it. States of networks on weighted sums are in files beside it, `a.sum-0.safetensors` for
   * `a.safetensors`, until everything is measured.
   * @defaultValue none
   */
  readonly statePath?: string | undefined;
  /** Whether trainings resume from their states. @defaultValue false */
  readonly resume?: boolean;
  /**
   * Callback for the progress, called after every step of training and every measured network. @defaultValue
   * none
   */
  readonly onProgress?: ((progress: ParetoProgress) => void) | undefined;
}

/** Networks of a comparison, and its result. */
export interface ComparedPareto {
  /** Trained network of each task. */
  readonly networks: readonly Checkpoint[];
  /** Fronts of the networks, measured on the test examples. */
  readonly result: ParetoResult;
}

/** Examples for training and for measurements, with labels for every task. */
export interface ParetoData {
  /** Examples on which networks are trained. */
  readonly training: DataSet;
  /** Examples on which fronts are measured. */
  readonly test: DataSet;
}

const ATTEMPT = "compare fronts";

/**
 * Trains one network for each task in one run (Pareto manifold learning) and measures the front of the
 * networks between them; if requested, it also trains and measures networks that are each trained on a
 * weighted sum of the tasks' losses, all from the first start, with the same options.
 * @param starts - start of the network of each task
 * @throws InputError, MismatchError, OutOfRangeError as {@link trainPareto}
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { PAIR_TASKS, pairImages } from "@isthmus/data";
 * import { splitHeads } from "@isthmus/ensemble";
 * import { comparePareto, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const training = pairImages(await openDataSet("mnist:train@200"));
 * const test = pairImages(await openDataSet("mnist:test@100"));
 * const { graph, initialize } = parseNetwork("mlp:16", { ...training, classes: 20 });
 * const engine = createOnnxRuntimeEngine();
 * const heads = { graph: await splitHeads({ graph, engine }, 2), engine };
 *
 * const options = { tasks: PAIR_TASKS, seed: 0, epochs: 2, batch: 50, points: 3 };
 * const { result } = await comparePareto(heads, [0, 1].map(initialize), { training, test }, options);
 * assert.deepEqual(result.manifold.points.map(({ shares }) => shares), [[0, 1], [0.5, 0.5], [1, 0]]);
 * ```
 */
export async function comparePareto(
  architecture: Architecture,
  starts: readonly Checkpoint[],
  { training, test }: ParetoData,
  { onProgress, statePath, resume, ...options }: CompareParetoOptions,
): Promise<ComparedPareto> {
  const { concentration, points, scalarised, scalarisedEpochs, ...alone } = options;
  const named = { concentration, points, scalarised, scalarisedEpochs };
  const fronts = resolveFields(ATTEMPT, PARETO_FIELDS, named);
  const { tasks, signal, seed } = alone;
  const lattice = fronts.scalarised === 0 ? [] : latticeOf(tasks.length, fronts.scalarised);
  const follow = (phase: "manifold" | "scalarised", run: number) => (training: TrainProgress) =>
    onProgress?.({ phase, done: (run + training.step / training.steps) / (1 + lattice.length), training });
  const { networks, result: trained } = await trainPareto(architecture, starts, training, {
    ...alone,
    concentration: fronts.concentration,
    ...stateOf(statePath, resume),
    onProgress: follow("manifold", 0),
  });
  const reference = tasks.map(() => Math.log(test.classes));
  const onNetwork = () => onProgress?.({ phase: "measuring", done: 1 });
  const measured = { tasks, reference, signal, onNetwork };
  const between: SharedNetwork[] = [];
  for (const shares of latticeOf(tasks.length, fronts.points))
    between.push({ shares, network: await blend(architecture, networks, { shares, training }) });
  const manifold = await measureFront(architecture, between, test, { ...measured, steps: trained.steps });
  const sums = await trainSums(architecture, at(starts, 0, "start"), training, {
    ...alone,
    lattice,
    statePath,
    resume,
    ...(fronts.scalarisedEpochs !== undefined && { epochs: fronts.scalarisedEpochs }),
    follow: (run) => follow("scalarised", 1 + run),
  });
  const front: Front | undefined =
    lattice.length === 0
      ? undefined
      : await measureFront(architecture, sums.networks, test, { ...measured, steps: sums.steps });
  for (const state of sums.states) await rm(state, { force: true });
  return {
    networks,
    result: {
      kind: "pareto",
      tasks,
      manifold,
      ...(front && { scalarised: front, together: hypervolumeOf([manifold, front], reference) }),
      reference,
      trainedOn: training.name,
      data: test.name,
      examples: test.size,
      seed,
      engine: architecture.engine.name,
    },
  };
}

const hypervolumeOf = (fronts: readonly Front[], reference: readonly number[]): number =>
  hypervolume(
    fronts.flatMap(({ points }) => points.map(({ losses }) => losses)),
    reference,
  );

const stateOf = (statePath: string | undefined, resume: boolean | undefined) =>
  statePath === undefined ? {} : { statePath, resume: resume ?? false };

/** Options of networks that are each trained on a weighted sum. */
interface SumsOptions extends Omit<TaskTrainingOptions, "onProgress" | "statePath" | "resume"> {
  readonly lattice: readonly (readonly number[])[];
  readonly statePath: string | undefined;
  readonly resume: boolean | undefined;
  /** Returns the progress callback of a training, by the training's index among all. */
  readonly follow: (run: number) => NonNullable<TaskTrainingOptions["onProgress"]>;
}

/** Trains a network on each weighted sum, and resumes from its state if there is one. */
async function trainSums(
  architecture: Architecture,
  start: Checkpoint,
  training: DataSet,
  { lattice, follow, statePath, resume, ...options }: SumsOptions,
): Promise<{
  readonly networks: readonly SharedNetwork[];
  readonly steps: number;
  readonly states: readonly string[];
}> {
  const networks: SharedNetwork[] = [];
  const states: string[] = [];
  let steps = 0;
  for (const [run, shares] of lattice.entries()) {
    const state = statePath?.replace(/(\.safetensors)?$/, `.sum-${run}.safetensors`);
    if (state !== undefined) states.push(state);
    const { network, result } = await trainScalarised(architecture, start, training, {
      ...options,
      ...stateOf(state, resume),
      shares,
      onProgress: follow(run),
    });
    networks.push({ shares, network: await recalibrated(architecture, network, training) });
    steps += result.steps;
  }
  return { networks, steps, states };
}

/** Returns the mean of the networks of the tasks, weighted by shares, in memory. */
async function blend(
  architecture: Architecture,
  networks: readonly Checkpoint[],
  { shares, training }: { readonly shares: readonly number[]; readonly training: DataSet },
): Promise<Checkpoint> {
  return recalibrated(architecture, await holdInMemory(architecture, average(networks, shares)), training);
}

async function recalibrated(
  architecture: Architecture,
  network: Checkpoint,
  training: DataSet,
): Promise<Checkpoint> {
  if (countBatchNorms(architecture.graph) === 0) return network;
  return recalibrateBatchNorm(architecture, network, limitExamples(ATTEMPT, training, STATISTICS_EXAMPLES));
}

/**
 * Lists evenly spaced shares of tasks, which add up to 1, with `points` of them along each edge, in the order
 * of a rising first share.
 */
function latticeOf(tasks: number, points: number): number[][] {
  const parts = points - 1;
  const split = (left: number, count: number): number[][] =>
    count === 1
      ? [[left]]
      : Array.from({ length: left + 1 }, (_, first) =>
          split(left - first, count - 1).map((rest) => [first, ...rest]),
        ).flat();
  return split(parts, tasks).map((shares) => shares.map((share) => share / parts));
}
