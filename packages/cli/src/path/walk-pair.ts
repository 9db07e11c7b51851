import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, createFolder, saveCheckpoint, UsageError } from "@isthmus/core";
import { trainCurve } from "@isthmus/curve";
import type { DataSet } from "@isthmus/graph";
import { createPath } from "@isthmus/interpolation";
import {
  countWalkSteps,
  MEASURE_WALKED_PATH_DEFAULTS,
  type MeasureWalkedPathOptions,
  measureWalkedPath,
  type NamedPath,
  type WalkedPathResult,
  type WalkedPoint,
} from "@isthmus/paths";
import { chooseTrainOptions } from "@isthmus/training";
import { dataContext } from "@isthmus/zoo";
import { normPolicyOf } from "../open/measure-pair.ts";
import { openExamples } from "../open/open-data.ts";
import type { Pair } from "../open/open-pair.ts";
import type { PairOptions } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { nameTrainingSplit } from "../training/open-training-data.ts";
import { ENDING } from "../training/training-files.ts";
import type { Context } from "../verb.ts";
import type { WalkFlags } from "./walk-flags.ts";

/** Options of a walk between the networks of a pair. */
export type WalkPairOptions = PairOptions & WalkFlags & { readonly seed: number };

const DEFAULTS = MEASURE_WALKED_PATH_DEFAULTS;

/** Walks from A to B layer by layer, and measures the path beside the lines to B and to B aligned. */
export async function walkPair(
  pair: Pair,
  options: WalkPairOptions,
  context: Context,
): Promise<WalkedPathResult> {
  const { a, unaligned, data: evaluation, graph, engine, statistics, statisticsData } = pair;
  const { journal, networks, points = DEFAULTS.points } = options;
  if (journal !== undefined) await assertOutput(journal, pair.inputs);
  if (networks !== undefined) await createFolder(networks);
  const training = await openTrainData(pair, options);
  const walking = walkingOf(options);
  const { signal } = context;
  const policy = normPolicyOf("walk a path", statistics, DEFAULTS.statistics);
  try {
    const beside = await pathsBeside({ pair, training, walking }, options, context);
    const data = { training, evaluation };
    const result = await measureWalkedPath({ graph, engine }, [a, unaligned], data, {
      ...walking,
      ...{ points, beside, statistics: policy, statisticsData, journalPath: journal, signal },
      onPoint: networks === undefined ? undefined : saveArrivals(networks, pair, walking.moves),
      onProgress: ({ stage, done, layer }) =>
        context.progress(stage === "walk" ? `Walking ${layer}` : "Measuring lines", done),
    });
    const state = curveState(journal);
    if (state !== undefined) await rm(state, { force: true });
    return result;
  } catch (error) {
    if (signal.aborted && journal !== undefined) {
      context.terminal.note(`isthmus path: what is measured is in "${journal}": it goes on from there`);
    }
    throw error;
  }
}

/** Opens the examples to train on: the training split of data that have two, or what options name. */
async function openTrainData(pair: Pair, { trainData, ...options }: WalkPairOptions): Promise<DataSet> {
  const name = trainData ?? (await nameTrainingSplit(options.data));
  if (name !== undefined) return openExamples(name, options, dataContext(pair));
  throw new UsageError(
    `Cannot walk from A to B as layers are trained on the way: name examples to train on with --train-data`,
  );
}

/** How a walk is made, with all numbers of which the curve beside it needs to know. */
type Walking = Pick<Required<MeasureWalkedPathOptions>, "moves" | "trainSteps" | "learningRate" | "seed"> &
  Pick<MeasureWalkedPathOptions, "batch" | "optimizer">;

function walkingOf({ moves, trainSteps, batch, optimizer, lr, seed }: WalkPairOptions): Walking {
  return {
    moves: moves ?? DEFAULTS.moves,
    trainSteps: trainSteps ?? DEFAULTS.trainSteps,
    learningRate: lr ?? DEFAULTS.learningRate,
    seed,
    ...(batch === undefined ? {} : { batch }),
    ...(optimizer === undefined || optimizer === "sgd" ? {} : { optimizer: { kind: optimizer } }),
  };
}

interface Beside {
  readonly pair: Pair;
  readonly training: DataSet;
  readonly walking: Walking;
}

/** Lists the paths beside the walk: the line to B aligned, and a curve, if options ask for them. */
async function pathsBeside(
  { pair: { a, b, unaligned, graph, engine }, training, walking }: Beside,
  { bezier, journal }: WalkPairOptions,
  { signal, progress }: Context,
): Promise<NamedPath[]> {
  const paths: NamedPath[] = [];
  if (b !== unaligned) paths.push({ name: "line to B aligned", path: createPath("linear", a, b) });
  if (!bezier) return paths;
  const { moves, trainSteps, learningRate, ...options } = walking;
  const { batch } = chooseTrainOptions({ graph, data: training }, options);
  const steps = countWalkSteps(graph, { moves, trainSteps });
  const statePath = curveState(journal);
  const { path } = await trainCurve({ graph, engine }, [a, unaligned], training, {
    ...options,
    ...(statePath === undefined ? {} : { statePath, resume: true }),
    schedule: { kind: "constant", learningRate },
    epochs: Math.max(1, Math.round((steps * batch) / training.size)),
    signal,
    onProgress: ({ done }) => progress("Training a Bezier curve", done),
  });
  return [...paths, { name: "Bezier curve", path }];
}

/** Returns where the state of the curve is kept. */
const curveState = (journal: string | undefined): string | undefined =>
  journal === undefined ? undefined : `${journal}.bezier${ENDING}`;

/** Writes the network each time a layer has arrived, by the number of layers that have. */
function saveArrivals(folder: string, { networks }: Pair, moves: number) {
  const { restore } = at(networks, 0, "network");
  return async ({ layer, move, phase, network }: WalkedPoint): Promise<void> => {
    if (move !== moves || phase !== "moved") return;
    await saveCheckpoint(restore(network), join(folder, `${layer + 1}${ENDING}`), { overwrite: true });
  };
}
