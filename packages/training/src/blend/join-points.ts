import {
  type Checkpoint,
  defineCheckpoint,
  entry,
  MismatchError,
  OutOfRangeError,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { TrainingStep } from "../step/training-step.ts";

/**
 * Joins the trained points of a blend into one checkpoint, under the names by which their weights enter a
 * step, for a step runner to start from. Weights that are not blended, such as whole numbers, are taken from
 * the first trained point.
 *
 * @param step - made with `blend`
 * @param points - a checkpoint for each trained point by its name; they are only read when the result is read
 * @throws MismatchError if the step is not one of a blend, a point has no checkpoint, or one lacks a weight
 */
export function joinPoints(
  { graph, blend = [], carried }: TrainingStep,
  points: ReadonlyMap<string, Checkpoint>,
): Checkpoint {
  const trained = blend.filter((point) => point.trained);
  const [firstPoint] = trained;
  if (firstPoint === undefined) {
    throw new MismatchError(
      `Cannot join the points of a blend as the step of graph "${graph.name}" must be made with a blend: it has no trained points`,
      { parameters: [] },
    );
  }
  const first = checkpointOf(points, firstPoint.name);
  const state = new Set(carried.flatMap(({ role, input }) => (role === "state" ? [input] : [])));
  const sources = new Map(
    [...graph.weights.keys()]
      .filter((name) => !state.has(name))
      .map((name) => [name, { checkpoint: first, name }]),
  );
  for (const point of trained) {
    const checkpoint = checkpointOf(points, point.name);
    for (const [name, enters] of point.weights) sources.set(enters, { checkpoint, name });
  }
  const tensors = new Map([...sources].map(([enters, source]) => [enters, infoOf(source)]));
  return defineCheckpoint({
    source: trained.map(({ name }) => checkpointOf(points, name).source).join(", "),
    tensors,
    inputs: [...points.values()],
    async readInto(enters, begin, out) {
      const { checkpoint, name } = entry(sources, enters, "weight of a blend");
      await checkpoint.readRangeInto(name, begin, out);
    },
  });
}

function checkpointOf(points: ReadonlyMap<string, Checkpoint>, name: string): Checkpoint {
  const checkpoint = points.get(name);
  if (checkpoint !== undefined) return checkpoint;
  throw new MismatchError(
    `Cannot start a blend as every trained point needs a checkpoint to start from: there is none for "${name}"`,
    { parameters: [] },
  );
}

function infoOf({
  checkpoint,
  name,
}: {
  readonly checkpoint: Checkpoint;
  readonly name: string;
}): TensorInfo {
  const info = checkpoint.tensors.get(name);
  if (info !== undefined) return info;
  throw new MismatchError(
    `Cannot start a blend at "${checkpoint.source}" as it must have every weight: there is no "${name}"`,
    { parameters: [name] },
  );
}

/**
 * Returns the weights of one trained point of a blend, without weights that are not blended.
 * @param tensors - weights of all points by the names by which they enter the step, as in a step runner's
 *   `carried()` and `fixed`
 * @returns the same tensors by their names in the network; weights that `tensors` lacks are left out
 * @throws OutOfRangeError if there is no trained point of that name
 */
export function takePoint(
  { graph, blend = [] }: TrainingStep,
  name: string,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const point = blend.find((candidate) => candidate.name === name && candidate.trained);
  if (point === undefined) {
    throw new OutOfRangeError(
      `Cannot take point "${name}" of a blend of graph "${graph.name}" as it must be a trained one: there is none of that name`,
    );
  }
  return new Map(
    [...point.weights].flatMap(([weight, enters]) => {
      const tensor = tensors.get(enters);
      return tensor === undefined ? [] : [[weight, tensor] as const];
    }),
  );
}
