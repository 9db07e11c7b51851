import { type Checkpoint, DTYPES, defineCheckpoint, fromFloat64Into, toFloat64 } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { addTaskInPlace, type TaskRange } from "./kernels/task-vector.ts";

/** A task vector in the coordinates of the network to which it is added. */
export interface MovedTask {
  /** Moved network before it was fine-tuned. */
  readonly base: Checkpoint;
  /** Moved network after it was fine-tuned. */
  readonly tuned: Checkpoint;
  /** Gradient by whose sign the vector is masked; undefined without a mask. */
  readonly gradient?: Checkpoint | undefined;
}

/**
 * Lists the weights for which a task vector has steps: all floating-point weights of the graph, including
 * statistics of norms.
 */
export function taskWeights({ weights }: Graph): string[] {
  return [...weights].flatMap(([name, { dtype }]) => (DTYPES[dtype].float ? [name] : []));
}

/** Lists the variances of batch norms, which must not fall below zero. */
function variancesOf({ nodes }: Graph): Set<string> {
  return new Set(nodes.flatMap(({ op, inputs }) => (op === "BatchNormalization" ? inputs.slice(4, 5) : [])));
}

/**
 * Defines the network `target + scale * task`, which has the names, shapes and element types of the target.
 * Lazy: ranges are computed when they are read, in f64, and rounded once. Tensors other than floating-point
 * weights of the graph are copied from the target.
 */
export function transferredCheckpoint(
  graph: Graph,
  target: Checkpoint,
  task: MovedTask,
  scale: number,
): Checkpoint {
  const [weights, variances] = [new Set(taskWeights(graph)), variancesOf(graph)];
  return defineCheckpoint({
    source: `${target.source} with the task of ${task.tuned.source}`,
    tensors: target.tensors,
    metadata: target.metadata,
    inputs: [target, task.base, task.tuned],
    async readInto(name, begin, out) {
      await target.readRangeInto(name, begin, out);
      const dtype = target.tensors.get(name)?.dtype;
      // Tensors to which nothing is added keep their bits.
      if (scale === 0 || dtype === undefined || !weights.has(name)) return;
      const values = toFloat64(out, dtype).slice();
      addTaskInPlace(
        values,
        await readTask(task, name, begin, begin + out.length),
        scale,
        variances.has(name),
      );
      fromFloat64Into(values, dtype, out);
    },
  });
}

/** Reads elements `[begin, end)` of a weight of a task vector. */
export async function readTask(
  { base, tuned, gradient }: MovedTask,
  name: string,
  begin: number,
  end: number,
): Promise<TaskRange> {
  return {
    base: await readFloats(base, name, begin, end),
    tuned: await readFloats(tuned, name, begin, end),
    // Statistics have no gradient: they follow the weights, and are not masked.
    gradient: gradient?.tensors.has(name) ? await readFloats(gradient, name, begin, end) : undefined,
  };
}

async function readFloats(
  network: Checkpoint,
  name: string,
  begin: number,
  end: number,
): Promise<Float64Array> {
  const data = await network.readRange(name, begin, end);
  return toFloat64(data, network.tensors.get(name)?.dtype ?? "f32");
}
