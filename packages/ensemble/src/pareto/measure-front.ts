import { at, type Checkpoint, entry, type Tensor } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, planFeeds, specialize } from "@isthmus/graph";
import { hypervolume } from "./hypervolume.ts";
import type { Front, FrontPoint } from "./pareto-result.ts";
import { assertTasks } from "./task-graph.ts";

/** A network, and the shares of the tasks that it is for. */
export interface SharedNetwork {
  readonly shares: readonly number[];
  readonly network: Checkpoint;
}

/** Options of {@link measureFront}. */
export interface MeasureFrontOptions {
  /** Arrays of the data that hold the labels of each task, in the order of the graph's outputs. */
  readonly tasks: readonly string[];
  /** Losses from which on nothing counts in the hypervolume. */
  readonly reference: readonly number[];
  /** Steps that all networks took, for the result. */
  readonly steps: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each network. */
  readonly onNetwork?: (() => void) | undefined;
}

const ATTEMPT = "measure a front";

/**
 * Measures how good networks are at each of several tasks, and the hypervolume of their losses.
 * @throws InputError if the graph has fewer outputs than there are tasks, or the data lack labels of one
 */
export async function measureFront(
  { graph, engine }: Architecture,
  networks: readonly SharedNetwork[],
  data: DataSet,
  { tasks, reference, steps, batchSize = 100, signal, onNetwork }: MeasureFrontOptions,
): Promise<Front> {
  assertTasks(ATTEMPT, { graph, data, tasks });
  const batch = Math.min(batchSize, data.size);
  const points: FrontPoint[] = [];
  const { extents } = planFeeds(ATTEMPT, graph, data, batch);
  for (const { shares, network } of networks) {
    const weights = await bindWeights(graph, network);
    const sums = tasks.map(() => ({ loss: 0, correct: 0 }));
    for (let begin = 0; begin < data.size; begin += batch) {
      signal?.throwIfAborted();
      const end = Math.min(begin + batch, data.size);
      const typed = await specialize({ graph, engine }, { batch: end - begin, extents });
      const session = await engine.load(typed);
      try {
        const examples = data.read(begin, end);
        const { feedsOf } = planFeeds(ATTEMPT, typed, data, end - begin);
        const results = await session.run(new Map([...weights, ...feedsOf(examples)]));
        for (const [i, task] of tasks.entries()) {
          const logits = entry(results, at(graph.outputs, i, "output").name, "output");
          const labels = entry(examples.features ?? new Map<string, Tensor>(), task, "array");
          addInto(at(sums, i, "task"), logits.data as Float32Array, labels.data as BigInt64Array);
        }
      } finally {
        await session.release();
      }
    }
    points.push({
      shares,
      losses: sums.map(({ loss }) => loss / data.size),
      accuracies: sums.map(({ correct }) => correct / data.size),
    });
    onNetwork?.();
  }
  return {
    points,
    hypervolume: hypervolume(
      points.map(({ losses }) => losses),
      reference,
    ),
    steps,
  };
}

/** Adds cross-entropies and correct ones of a batch, in f64. */
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
