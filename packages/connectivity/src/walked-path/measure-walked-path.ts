import { bindNetwork } from "@isthmus/barrier";
import { at, type Checkpoint, resolveFields } from "@isthmus/core";
import { type Architecture, type DataSet, lossFields, scoreBy } from "@isthmus/graph";
import { createPath } from "@isthmus/interpolation";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import type { NamedPath } from "../dropout-path/measure-dropout-path.ts";
import { measurePath, summarizePath } from "../path/measure-path.ts";
import type { MeasuredPath, NamedMeasuredPath } from "../path/path-result.ts";
import { type MeasuredPoint, openMeter, type Walking, type WalkSubject } from "./open-meter.ts";
import { layersThatWalk, placesOf, stepsOf, type WalkPlace, type WalkPlan } from "./plan-walk.ts";
import { trainBezierCurve } from "./train-bezier-curve.ts";
import { walkLayers } from "./walk-layers.ts";
import type { WalkedPoint, WalkRun } from "./walk-options.ts";
import { WALKED_PATH_FIELDS, type WalkedPathChoice, type WalkedPathProgress } from "./walked-path-options.ts";
import type { WalkedPathResult, WalkedSegment } from "./walked-path-result.ts";

/** Examples for training, and examples on which loss and error are measured. */
export interface WalkData {
  /** Examples on which layers are trained. */
  readonly training: DataSet;
  /** Examples on which loss and error are measured. */
  readonly evaluation: DataSet;
}

/** Options of {@link measureWalkedPath}. */
export interface MeasureWalkedPathOptions extends WalkedPathChoice, WalkRun {
  /** Other paths to measure, such as the line to an aligned network. @defaultValue none */
  readonly beside?: readonly NamedPath[];
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /**
   * File for the numbers of measured points, from which a stopped measurement goes on; the states of the walk
   * and of the curve, and the last point, are in files beside it until the measurement ends.
   * @defaultValue none is written
   */
  readonly journalPath?: string | undefined;
  /** Called at every point between the ends; once more for points that a resumed walk repeats. */
  readonly onPoint?: ((point: WalkedPoint) => Promise<void>) | undefined;
  /**
   * Callback for the progress, called after every step of training and every measured place. @defaultValue
   * none
   */
  readonly onProgress?: ((progress: WalkedPathProgress) => void) | undefined;
}

type Run = Omit<MeasureWalkedPathOptions, keyof WalkedPathChoice>;

const RUN_DEFAULTS: Required<Run> = {
  threads: TRAIN_DEFAULTS.threads,
  signal: undefined,
  beside: [],
  statisticsData: undefined,
  journalPath: undefined,
  onPoint: undefined,
  onProgress: undefined,
};

const ATTEMPT = "measure a walked path";
/** Approximate share of the work that the walk takes, for the progress. */
const WALKING = 0.9;
/** Approximate share of the work that the training of a curve takes, if there is one. */
const BENDING = 0.3;

/**
 * Walks from one network to another layer by layer, and measures loss and error at every point: right after
 * each move of a layer, where the loss of the path is highest, and after the training that follows; then it
 * measures the straight line. Between points the path is straight. No more than two of its networks are in
 * memory at once.
 *
 * The path ends at the second network itself: permuting units of a network changes the path, as it changes
 * the straight line, but the method does not need aligned networks.
 * @throws OutOfRangeError if an option is out of range
 * @throws MismatchError, UnsupportedError, InputError, FormatError, DivergenceError, EngineError,
 *   DOMException as `walkLayers`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureWalkedPath, openDataSet, parseNetwork } from "isthmus";
 *
 * const training = await openDataSet("mnist:train@200");
 * const evaluation = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8", training);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const options = { moves: 2, trainSteps: 5, points: 3 };
 * const { path, segments } = await measureWalkedPath(architecture, ends, { training, evaluation }, options);
 * assert.deepEqual(segments.map(({ layer }) => layer), ["layers.0", "layers.1"]);
 * assert.equal(path.points.length, 7); // A, before and after each move; the last layer only moves
 * ```
 */
export async function measureWalkedPath(
  unscored: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  { training, evaluation }: WalkData,
  options: MeasureWalkedPathOptions = {},
): Promise<WalkedPathResult> {
  const resolved = resolveFields(ATTEMPT, WALKED_PATH_FIELDS, options, RUN_DEFAULTS);
  const { moves, trainSteps, learningRate, optimizer, seed, threads, signal } = resolved;
  const named = typeof options.loss === "string" ? options.loss : undefined;
  const architecture = { ...unscored, graph: scoreBy(unscored.graph, named) };
  const { graph } = architecture;
  const { batch, loss } = chooseTrainOptions({ graph, data: training }, resolved);
  // A journal identifies a walk by the JSON of this object, so that the order of its keys matters.
  const walking = { moves, trainSteps, learningRate, optimizer, seed, threads, signal, batch, loss };
  const ends = [await bindNetwork(graph, networks[0]), await bindNetwork(graph, networks[1])] as const;
  const subject = { architecture, ends, training, evaluation };
  const curve = resolved.bezier
    ? await trainBezierCurve(subject, walking, { ...resolved, onProgress: within(resolved, 0, BENDING) })
    : undefined;
  const onProgress = curve === undefined ? resolved.onProgress : within(resolved, BENDING, 1);
  const following = { ...resolved, onProgress };
  const walked = await walkAndMeasure(subject, walking, following);
  const { line, beside } = await measureBeside(subject, {
    ...following,
    beside: [...resolved.beside, ...(curve === undefined ? [] : [curve.named])],
  });
  await curve?.finish();
  const { statistics } = resolved;
  return {
    ...lossFields(graph, evaluation),
    kind: "walked-path",
    path: walked.path,
    line,
    beside,
    segments: walked.segments,
    moves,
    trainSteps,
    steps: walked.steps,
    batch,
    optimizer: optimizer.kind,
    learningRate,
    trainingData: training.name,
    statistics,
    examples: evaluation.size,
    data: evaluation.name,
    a: networks[0].source,
    b: networks[1].source,
    seed,
    engine: architecture.engine.name,
  };
}

type Resolved = Required<MeasureWalkedPathOptions>;

/**
 * Returns a function that reports the progress of a part of the work as progress of the whole, from the share
 * `from` to the share `to`.
 */
function within({ onProgress }: Pick<Resolved, "onProgress">, from: number, to: number) {
  return (progress: WalkedPathProgress): void =>
    onProgress?.({ ...progress, done: from + (to - from) * progress.done });
}

interface Walked {
  readonly path: MeasuredPath;
  readonly segments: readonly WalkedSegment[];
  readonly steps: number;
}

async function walkAndMeasure(subject: WalkSubject, walking: Walking, options: Resolved): Promise<Walked> {
  const { architecture, ends, training } = subject;
  const { journalPath, onPoint, onProgress } = options;
  const plan = { ...walking, layers: layersThatWalk(ATTEMPT, architecture.graph) };
  const places = placesOf(plan);
  const meter = await openMeter(subject, walking, options);
  try {
    await meter.measure(0, ends[0]);
    if (!places.every(({ step }) => meter.has(step))) {
      await walkLayers(architecture, ends, training, {
        ...walking,
        ...(journalPath === undefined ? {} : { statePath: `${journalPath}.walk.safetensors` }),
        onPoint: async (point) => {
          await meter.measure(point.step, point.network);
          await onPoint?.(point);
        },
        onProgress: ({ done, layer }) => onProgress?.({ done: WALKING * done, stage: "walk", layer }),
      });
    }
    const steps = stepsOf(plan);
    await meter.measure(steps, ends[1]);
    const numbers: MeasuredPoint[] = [];
    for (const step of [0, ...places.map(({ step }) => step), steps]) numbers.push(await meter.read(step));
    await meter.finish();
    return { path: drawPath(numbers), segments: segmentsOf(plan, places), steps };
  } finally {
    await meter.release();
  }
}

function drawPath(numbers: readonly MeasuredPoint[]): MeasuredPath {
  let length = 0;
  return summarizePath(
    numbers.map(({ loss, error, way }, index) => {
      length += way;
      return { t: index / (numbers.length - 1), loss, error, length };
    }),
  );
}

/**
 * Lists the segments of layers: a layer walks from the point before its first move to the point after its
 * last.
 */
function segmentsOf({ layers, moves }: WalkPlan, places: readonly WalkPlace[]): readonly WalkedSegment[] {
  const points = places.length + 1;
  const arrivals = places.flatMap(({ move, phase }, index) =>
    phase === "moved" && move === moves ? [(index + 1) / points] : [],
  );
  return layers.map(({ name }, index) => ({
    layer: name,
    from: index === 0 ? 0 : at(arrivals, index - 1, "arrival"),
    to: index === layers.length - 1 ? 1 : at(arrivals, index, "arrival"),
  }));
}

/** Measures the straight line and the paths beside it. */
async function measureBeside(
  { architecture, ends, evaluation }: WalkSubject,
  { points, beside, statistics, statisticsData, batchSize, signal, onProgress }: Resolved,
): Promise<Pick<WalkedPathResult, "line" | "beside">> {
  const paths = [{ name: "line", path: createPath("linear", ...ends) }, ...beside];
  const measured: NamedMeasuredPath[] = [];
  for (const [index, { name, path }] of paths.entries()) {
    const options = { statistics, statisticsData, batchSize, signal, points };
    const onStep = ({ done }: { readonly done: number }) =>
      onProgress?.({ done: WALKING + ((1 - WALKING) * (index + done)) / paths.length, stage: "measure" });
    const along = await measurePath(architecture, path, evaluation, { ...options, onProgress: onStep });
    measured.push({ name, path: along });
  }
  const [line, ...others] = measured;
  return { line: (line as NamedMeasuredPath).path, beside: others };
}
