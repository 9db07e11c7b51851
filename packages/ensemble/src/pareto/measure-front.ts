import { at, type Checkpoint, entry, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  type BatchRange,
  bindWeights,
  type DataSet,
  planFeeds,
  type Session,
  specialize,
} from "@isthmus/graph";
import { hypervolume } from "./hypervolume.ts";
import type { Front, FrontPoint } from "./pareto-result.ts";
import { assertTasks, findHeads } from "./task-graph.ts";

/** Network, and the shares of the tasks for which it was made. */
export interface SharedNetwork {
  /** Shares of the tasks, in their order, which add up to 1. */
  readonly shares: readonly number[];
  /** Weights of the network. */
  readonly network: Checkpoint;
}

/** Options of {@link measureFront}. */
export interface MeasureFrontOptions {
  /** Names of the data's arrays with the labels of each task, in the order of the graph's outputs. */
  readonly tasks: readonly string[];
  /** Reference of the hypervolume: losses of at least these values do not count. */
  readonly reference: readonly number[];
  /** Number of training steps of all networks together, for the result. */
  readonly steps: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Signal that stops the measurement between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each network. */
  readonly onNetwork?: (() => void) | undefined;
}

const ATTEMPT = "measure a front";

/**
 * Measures how good networks are at each of several tasks, and the hypervolume of their losses.
 * @throws InputError if the graph has fewer outputs than there are tasks, or the data lack labels of a task
 */
export async function measureFront(
  { graph, engine }: Architecture,
  networks: readonly SharedNetwork[],
  data: DataSet,
  { tasks, reference, steps, batchSize = 100, signal, onNetwork }: MeasureFrontOptions,
): Promise<Front> {
  assertTasks(ATTEMPT, { graph, data, tasks });
  const runner = createRunner(
    { graph, engine, data },
    { heads: tasks.length, batch: Math.min(batchSize, data.size) },
  );
  try {
    const points: FrontPoint[] = [];
    for (const { shares, network } of networks) {
      const weights = await bindWeights(graph, network);
      const sums = tasks.map(() => ({ loss: 0, correct: 0 }));
      for (const range of runner.ranges) {
        signal?.throwIfAborted();
        const { results, arrays } = await runner.run(weights, range);
        for (const [i, task] of tasks.entries()) {
          const logits = at(results, i, "head");
          const labels = entry(arrays, task, "array");
          addInto(at(sums, i, "task"), logits.data as Float32Array, labels.data as BigInt64Array);
        }
      }
      points.push({
        shares,
        losses: sums.map(({ loss }) => loss / data.size),
        accuracies: sums.map(({ correct }) => correct / data.size),
      });
      onNetwork?.();
    }
    const losses = points.map((point) => point.losses);
    return { points, hypervolume: hypervolume(losses, reference), steps };
  } finally {
    await runner.release();
  }
}

type Tensors = ReadonlyMap<string, Tensor>;

/** Session of the engine, and the names of the logits of each head. */
interface LoadedHeads {
  readonly session: Session;
  readonly logits: readonly string[];
}

/** Creates a runner of a graph on ranges of examples, whose sessions are loaded once for each size. */
function createRunner(
  { graph, engine, data }: Architecture & { readonly data: DataSet },
  { heads, batch }: { readonly heads: number; readonly batch: number },
) {
  const sessions = new Map<number, LoadedHeads>();
  const { ranges, extents, feedsOf } = planFeeds(ATTEMPT, graph, data, batch);
  const open = async (rows: number): Promise<LoadedHeads> => {
    const loaded = sessions.get(rows);
    if (loaded !== undefined) return loaded;
    const typed = findHeads(ATTEMPT, await specialize({ graph, engine }, { batch: rows, extents }), heads);
    const outputs = typed.logits.map((name) => ({ name }));
    const opened = { session: await engine.load({ ...typed.graph, outputs }), logits: typed.logits };
    sessions.set(rows, opened);
    return opened;
  };
  return {
    ranges,
    async run(weights: Tensors, { begin, end }: BatchRange): Promise<{ results: Tensor[]; arrays: Tensors }> {
      const { session, logits } = await open(end - begin);
      const examples = data.read(begin, end);
      const results = await session.run(new Map([...weights, ...feedsOf(examples)]));
      return {
        results: logits.map((name) => entry(results, name, "output")),
        arrays: examples.features ?? new Map(),
      };
    },
    async release() {
      for (const { session } of sessions.values()) await session.release();
    },
  };
}

/** Adds the cross-entropies and the number of correct predictions of a batch to sums, in f64. */
function addInto(
  sums: { loss: number; correct: number },
  logits: Float32Array,
  labels: ArrayLike<number | bigint>,
): void {
  const classes = logits.length / labels.length;
  for (let row = 0; row < labels.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const label = Number(labels[row]);
    const largest = Math.max(...scores);
    const total = scores.reduce((powers, score) => powers + Math.exp(score - largest), 0);
    sums.loss += Math.log(total) + largest - (scores[label] as number);
    if (scores.indexOf(largest) === label) sums.correct += 1;
  }
}
