import { entry, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { addTaskSums, type TaskSums } from "./kernels/task-vector.ts";
import { type MovedTask, readTask, taskWeights } from "./transferred-checkpoint.ts";

/** Measures of a task vector, in one tensor or in all parameters. */
export interface TaskMeasure {
  /** Norm of the task vector: the root of its sum of squares. */
  readonly norm: number;
  /**
   * Norm of the task vector divided by the norm of the base that was fine-tuned; `null` if the latter is 0.
   */
  readonly relative: number | null;
  /**
   * Change of the vector by the alignment: 1 minus the cosine between the vector before and after. 0 if
   * nothing moved, about 1 if everything did; `null` if the norm is 0.
   */
  readonly moved: number | null;
  /**
   * Share of the squared norm that the mask keeps, in `[0, 1]`; 1 without a mask, `null` if the norm is 0.
   */
  readonly kept: number | null;
}

/** Measures of a task vector in one tensor. */
export interface TaskTensor extends TaskMeasure {
  /** Name of the weight in the graph. */
  readonly name: string;
}

/** Number of elements that are read at once. */
const BLOCK = 2 ** 20;

/**
 * Measures a task vector tensor by tensor, before and after it is moved.
 * @returns the measures in each weight of the graph, and in all parameters together
 */
export async function measureTask(
  graph: Graph,
  original: MovedTask,
  moved: MovedTask,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; onProgress(done: number): void },
): Promise<{ readonly total: TaskMeasure; readonly tensors: readonly TaskTensor[] }> {
  const total = noSums();
  const names = taskWeights(graph);
  const tensors: TaskTensor[] = [];
  for (const [i, name] of names.entries()) {
    const { shape, role } = entry(graph.weights, name, "weight");
    const sums = noSums();
    for (let begin = 0; begin < sizeOf(shape); begin += BLOCK) {
      signal?.throwIfAborted();
      const end = Math.min(sizeOf(shape), begin + BLOCK);
      addTaskSums(sums, await readTask(original, name, begin, end), await readTask(moved, name, begin, end));
    }
    tensors.push({ name, ...describe(sums) });
    if (role === "parameter") for (const key of KEYS) total[key] += sums[key];
    onProgress((i + 1) / names.length);
  }
  return { total: describe(total), tensors };
}

const KEYS = ["base", "task", "moved", "product", "kept"] as const;

const noSums = (): TaskSums => ({ base: 0, task: 0, moved: 0, product: 0, kept: 0 });

function describe({ base, task, moved, product, kept }: TaskSums): TaskMeasure {
  // The cosine of a vector with itself may round to slightly more than 1.
  const cosine = Math.min(1, product / Math.sqrt(task * moved));
  return {
    norm: Math.sqrt(task),
    relative: base === 0 ? null : Math.sqrt(task / base),
    moved: task === 0 ? null : 1 - cosine,
    kept: task === 0 ? null : kept / moved,
  };
}
