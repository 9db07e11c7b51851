import { createCorrectedEvaluator } from "@isthmus/barrier";
import { type Checkpoint, openCheckpoint, saveCheckpoint, type Tensor, UsageError } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  parameterNames,
} from "@isthmus/graph";
import { distance } from "@isthmus/interpolation";
import { rm } from "@isthmus/platform";
import type { NormPolicy } from "@isthmus/statistics";
import { type JournalRun, openJournal } from "@isthmus/tasks";
import { hasWorkState } from "@isthmus/training";
import { checkpointOf, readWeights } from "../dropout-path/read-weights.ts";
import type { WalkChoice, WalkRun } from "./walk-options.ts";

/** Networks that are joined by a walk, with the data for training and evaluation. */
export interface WalkSubject {
  /** Graph of both networks, with the engine that runs it. */
  readonly architecture: Architecture;
  /** Networks from which and to which layers walk, by the names of the graph. */
  readonly ends: readonly [Checkpoint, Checkpoint];
  /** Examples on which layers are trained. */
  readonly training: DataSet;
  /** Examples on which loss and error are measured. */
  readonly evaluation: DataSet;
}

/** Options of a walk with all defaults filled in; a journal belongs to a walk with these options. */
export type Walking = Required<Omit<WalkChoice, "batch"> & WalkRun> & { readonly batch: number };

/** Options of the measurement of a walk's points. */
interface MeterOptions {
  readonly statistics: NormPolicy;
  readonly statisticsData: DataSet | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  readonly journalPath: string | undefined;
}

/** Loss, error and distance measured at a point. */
export interface MeasuredPoint {
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Share of wrong predictions, in `[0, 1]`; NaN if the loss has no notion of errors. */
  readonly error: number;
  /** Distance from the previous point. */
  readonly way: number;
}

/** Meter that measures one point after the other, and stores the numbers, in a file if there is one. */
export interface Meter {
  /**
   * Checks whether the point at a step has been measured, now or by an earlier call with the same journal.
   */
  has(step: number): boolean;
  /** Measures the network at a step, and its distance from the network of the previous call. */
  measure(step: number, network: Checkpoint): Promise<void>;
  /** Returns the numbers of the point at a step; throws a UsageError if it has not been measured. */
  read(step: number): Promise<MeasuredPoint>;
  /** Removes files that only an unfinished walk needs. */
  finish(): Promise<void>;
  /** Frees the memory of the engine. */
  release(): Promise<void>;
}

/**
 * Last measured point of a path, from which the distance to the next point, as a part of the path's length,
 * is measured.
 */
interface LastPoint {
  /** Network at the point, in memory. */
  readonly network: Checkpoint;
  /** Replaces the network by a copy of another one, and writes it to the file. */
  replace(network: Checkpoint): Promise<void>;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Opens a meter: `ends` are measured unchanged; the policy for statistics applies to networks between them.
 */
export async function openMeter(
  subject: WalkSubject,
  walking: Walking,
  { journalPath, statisticsData, ...options }: MeterOptions,
): Promise<Meter> {
  const { architecture, ends, evaluation } = subject;
  const attempt = "measure a walked path";
  const { statistics, batchSize, signal } = options;
  const policy = { statistics, statisticsData };
  const run = journalPath === undefined ? {} : await describeRun(subject, walking, policy);
  const journal = await openJournal(journalPath, run);
  const names = parameterNames(architecture.graph);
  const last = await openLastPoint(
    journalPath === undefined ? undefined : `${journalPath}.point.safetensors`,
    { start: ends[0], goesOn: journal.has("0") },
  );
  const correction = { attempt, ...policy, batchSize, signal };
  const evaluator = await createCorrectedEvaluator({ ...architecture, data: evaluation }, correction);
  return {
    has: (step) => journal.has(String(step)),
    async measure(step, network) {
      // If a walk goes on from a later point, its first network must not replace the last measured point.
      if (step === 0 && journal.has("0")) return;
      await journal.get(String(step), async () => {
        const isEnd = ends.includes(network);
        const { loss, error } = await evaluator.evaluate(network, isEnd ? undefined : []);
        return [loss, error, await distance(last.network, network, names)];
      });
      await last.replace(network);
    },
    async read(step) {
      const [loss, error, way] = await journal.get(String(step), async () => {
        throw new UsageError(`Cannot ${attempt} as every point must be measured: step ${step} is not`);
      });
      return { loss: loss as number, error: error as number, way: way as number };
    },
    finish: () => last.remove(),
    release: () => evaluator.release(),
  };
}

/** Describes all inputs that decide the numbers of points. */
async function describeRun(
  { architecture: { graph, engine }, ends: [a, b], training, evaluation }: WalkSubject,
  { signal: _, threads: __, ...walking }: Walking,
  { statistics, statisticsData }: Pick<MeterOptions, "statistics" | "statisticsData">,
): Promise<JournalRun> {
  return {
    graph: fingerprintGraph(graph),
    a: await fingerprintWeights(graph, a),
    b: await fingerprintWeights(graph, b),
    engine: engine.name,
    training: fingerprintData(training),
    evaluation: fingerprintData(evaluation),
    walk: JSON.stringify(walking),
    statistics,
    statisticsData: statisticsData === undefined ? "evaluation" : fingerprintData(statisticsData),
  };
}

/**
 * Opens the last point that was measured.
 * @param path - file of the point; undefined if there is no file
 * @param start - the point where a path begins
 * @param goesOn - whether to continue from the point in the file, if there is one
 */
async function openLastPoint(
  path: string | undefined,
  { start, goesOn }: { readonly start: Checkpoint; readonly goesOn: boolean },
): Promise<LastPoint> {
  let network = path === undefined || !goesOn ? start : await openFile(path, start);
  return {
    get network() {
      return network;
    },
    async replace(next) {
      network = await copy(next);
      if (path !== undefined) await saveCheckpoint(network, path, { overwrite: true });
    },
    async remove() {
      if (path !== undefined) await rm(path, { force: true });
    },
  };
}

async function openFile(path: string, start: Checkpoint): Promise<Checkpoint> {
  if (!(await hasWorkState(path))) return start;
  const file = await openCheckpoint(path);
  try {
    return await copy(file);
  } finally {
    await file.close();
  }
}

/** Copies a network into memory of its own, as a training overwrites its tensors later. */
async function copy(network: Checkpoint): Promise<Checkpoint> {
  const weights = [...(await readWeights(network))].map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() } as Tensor] as const,
  );
  return checkpointOf(new Map(weights), network.source);
}
