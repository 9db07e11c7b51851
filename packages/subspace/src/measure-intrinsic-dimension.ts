import { at, type Checkpoint, InputError } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
} from "@isthmus/graph";
import { rm } from "@isthmus/platform";
import { type Journal, openJournal } from "@isthmus/tasks";
import { type TrainReparameterizedOptions, type TrainResult, train } from "@isthmus/training";
import { evaluateStarts } from "./evaluate-starts.ts";
import type {
  IntrinsicDimensionResult,
  SeedAccuracy,
  SubspaceAccuracy,
} from "./intrinsic-dimension-result.ts";
import type { IntrinsicDimensionProgress, MeasureIntrinsicDimensionOptions } from "./measure-options.ts";
import { type ResolvedMeasureOptions, resolveMeasureOptions } from "./resolve-measure-options.ts";
import { nextDimension } from "./search/next-dimension.ts";
import { summarizeSearch } from "./search/summarize-search.ts";
import { judgeUntrained } from "./search/untrained-accuracy.ts";
import { trainInSubspace } from "./train-in-subspace.ts";

/** Examples for training, and examples on which accuracies are measured. */
export interface TrainedAndEvaluated {
  /** Examples that networks are trained on. */
  readonly training: DataSet;
  /** Examples that accuracies are measured on. */
  readonly evaluation: DataSet;
}

/**
 * Measures the intrinsic dimension of a task for a network: the smallest dimension of a random subspace in
 * which training reaches a share, 90 % by default, of the accuracy of training all parameters.
 *
 * Every seed trains the full network once; their mean accuracy, times the threshold, is the line. The search
 * trains all seeds in one dimension after the other: it doubles or halves the dimension until the line is
 * between two dimensions, and then takes their geometric mean until they are near. It does not need
 * accuracies that rise with the dimension: after every dimension, the bracket is found anew by a rising fit,
 * the rising numbers that are nearest to the means over seeds. The result is the smallest measured dimension
 * at which the fit reaches the line, with the dimension at which it crosses the line, and an interval from
 * the crossings of each seed alone. Networks are also evaluated before training: if full trainings reach
 * hardly more, the result says that nothing was learned.
 *
 * Subspaces are drawn in the space of the network's parameters: another network of the same function, such as
 * one with permuted units, has other subspaces, but their distribution is the same. Rescaling layers changes
 * the distribution.
 * @param initialize - makes the network from which a seed starts
 * @throws OutOfRangeError if an option is out of its range, such as a dimension above the parameters
 * @throws UnsupportedError if the loss has no accuracy, or a parameter is not f32
 * @throws MismatchError if the journal is of another measurement
 * @throws UsageError, InputError, DivergenceError, EngineError, DOMException as `train`
 * @see Li et al., Measuring the intrinsic dimension of objective landscapes, 2018
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureIntrinsicDimension, openDataSet, parseNetwork } from "isthmus";
 *
 * const training = await openDataSet("mnist:train@300");
 * const evaluation = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", training);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const options = { seeds: [0], epochs: 2, batch: 30, threshold: 0.5, resolution: 1 };
 * const data = { training, evaluation };
 * const { dimension, line } = await measureIntrinsicDimension(architecture, initialize, data, options);
 * assert(dimension === null || (dimension >= 1 && dimension <= 6370 && line > 0));
 * ```
 */
export async function measureIntrinsicDimension(
  architecture: Architecture,
  initialize: (seed: number) => Checkpoint,
  { training, evaluation }: TrainedAndEvaluated,
  options: MeasureIntrinsicDimensionOptions = {},
): Promise<IntrinsicDimensionResult> {
  const resolved = resolveMeasureOptions({ graph: architecture.graph, data: training }, options);
  const subject = { architecture, initialize, training, evaluation };
  const { journalPath, seeds, parameters, threshold, first, least, most, resolution } = resolved;
  const journal = await openJournal(journalPath, await describeRun(subject, resolved));
  const runner = { ...subject, journal, done: { trainings: 0 } };
  const baseline: SeedAccuracy[] = [];
  for (const seed of seeds) baseline.push(await trainOnce(runner, { seed }, resolved));
  const full = meanAccuracy(baseline);
  const line = threshold * full;
  const start = await evaluateStarts(architecture, initialize, evaluation, resolved);
  const rules = { line, first, least, most, resolution };
  const measured = new Map<number, readonly SubspaceAccuracy[]>();
  for (;;) {
    const dimension = nextDimension(meansOf(measured), rules);
    if (dimension === undefined) break;
    const points: SubspaceAccuracy[] = [];
    for (const seed of seeds) {
      points.push({ dimension, ...(await trainOnce(runner, { seed, dimension }, resolved)) });
    }
    measured.set(dimension, points);
  }
  const points = [...measured].sort(([a], [b]) => a - b).flatMap(([, accuracies]) => accuracies);
  const { projection, scope, epochs, batch, optimizer, schedule, baselineSchedule } = resolved;
  return {
    kind: "intrinsic-dimension",
    ...summarizeSearch(points, { means: meansOf(measured), line, seeds }),
    untrained: judgeUntrained(start, evaluation, { full, line }),
    threshold,
    line,
    baseline,
    points,
    parameters,
    projection,
    scope,
    resolution,
    seeds,
    epochs,
    batch,
    optimizer: optimizer.kind,
    learningRate: schedule.learningRate,
    baselineLearningRate: baselineSchedule.learningRate,
    network: architecture.graph.name,
    data: training.name,
    examples: training.size,
    evaluationData: evaluation.name,
    evaluationExamples: evaluation.size,
    engine: architecture.engine.name,
  };
}

/** Network, its data, and the record of finished trainings. */
interface Runner extends Subject {
  readonly journal: Journal;
  readonly done: { trainings: number };
}

interface Subject extends TrainedAndEvaluated {
  readonly architecture: Architecture;
  readonly initialize: (seed: number) => Checkpoint;
}

/** One training: in a subspace if it has a dimension, else of all parameters. */
interface Piece {
  readonly seed: number;
  readonly dimension?: number;
}

/** Runs a training, unless the journal has its numbers. */
async function trainOnce(
  { journal, done, ...subject }: Runner,
  piece: Piece,
  options: ResolvedMeasureOptions,
): Promise<SeedAccuracy> {
  const { seed, dimension } = piece;
  const { journalPath } = options;
  const name = `${dimension === undefined ? "full" : `dimension-${dimension}`}-seed-${seed}`;
  const statePath = journalPath === undefined ? undefined : `${journalPath}.${name}.safetensors`;
  const report = (training: IntrinsicDimensionProgress["training"]) =>
    options.onProgress?.({
      stage: dimension === undefined ? "baseline" : "search",
      dimension: dimension ?? options.parameters,
      seed,
      training,
      trainings: done.trainings,
    });
  const { saveEvery } = options;
  const numbers = await journal.get(name, async () => {
    const state = statePath === undefined ? {} : { statePath, saveEvery, resume: true };
    const shared = { ...trainOptions(piece, options), ...state };
    const result = await runTraining(subject, piece, { ...shared, onProgress: report }, options);
    const { accuracy, loss } = result.evaluation ?? {};
    if (accuracy === undefined || loss === undefined) throw withoutAccuracy(subject.evaluation);
    return [accuracy, loss];
  });
  // The numbers are in the journal: the state is no longer needed.
  if (statePath !== undefined) await rm(statePath, { force: true });
  done.trainings += 1;
  return { seed, accuracy: at(numbers, 0, "accuracy"), loss: at(numbers, 1, "loss") };
}

function trainOptions(
  { seed, dimension }: Piece,
  options: ResolvedMeasureOptions,
): TrainReparameterizedOptions {
  const { epochs, batch, remainder, loss, optimizer, augment, freeze, threads, signal } = options;
  const schedule = dimension === undefined ? options.baselineSchedule : options.schedule;
  return { seed, epochs, batch, remainder, loss, optimizer, schedule, augment, freeze, threads, signal };
}

async function runTraining(
  { architecture, initialize, training, evaluation }: Subject,
  { seed, dimension }: Piece,
  shared: TrainReparameterizedOptions,
  { projection, scope }: ResolvedMeasureOptions,
): Promise<TrainResult> {
  const start = initialize(seed);
  const options = { ...shared, evaluationData: evaluation };
  if (dimension === undefined) return (await train(architecture, start, training, options)).result;
  const inSubspace = { ...options, dimension, projection, scope };
  return (await trainInSubspace(architecture, start, training, inSubspace)).result;
}

function withoutAccuracy({ name }: DataSet): InputError {
  return new InputError(
    `Cannot measure an intrinsic dimension as evaluations must have an accuracy: on "${name}" there is none`,
    { input: name },
  );
}

/** Describes all inputs that decide the numbers of a training, except its dimension and seed. */
async function describeRun(
  { architecture: { graph, engine }, initialize, training, evaluation }: Subject,
  options: ResolvedMeasureOptions,
): Promise<Record<string, string | number>> {
  const { projection, scope, baselineSchedule } = options;
  const { seed: _, signal: __, threads: ___, ...recipe } = trainOptions({ seed: 0, dimension: 1 }, options);
  return {
    graph: fingerprintGraph(graph),
    start: await fingerprintWeights(graph, initialize(0)),
    engine: engine.name,
    training: fingerprintData(training),
    evaluation: fingerprintData(evaluation),
    projection,
    scope,
    recipe: JSON.stringify(recipe),
    baselineSchedule: JSON.stringify(baselineSchedule),
  };
}

const meanAccuracy = (trained: readonly SeedAccuracy[]): number =>
  trained.reduce((sum, { accuracy }) => sum + accuracy, 0) / trained.length;

/** Returns the mean accuracy in each dimension, by rising dimension. */
function meansOf(
  measured: ReadonlyMap<number, readonly SubspaceAccuracy[]>,
): { readonly dimension: number; readonly accuracy: number }[] {
  return [...measured]
    .map(([dimension, trained]) => ({ dimension, accuracy: meanAccuracy(trained) }))
    .sort((a, b) => a.dimension - b.dimension);
}
