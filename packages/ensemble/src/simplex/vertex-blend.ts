import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  drawDirichlet,
  entry,
  type Tensor,
} from "@isthmus/core";
import { type Blend, type FinishedStep, learningRateAt, type ScheduleSpec } from "@isthmus/training";
import { flatten, type Weights } from "./flatten.ts";
import { type HeightAbove, heightAbove } from "./height-above.ts";

/** Inputs of the training of a vertex. */
export interface Simplex {
  /** Names of the parameters, between which distances are measured. */
  readonly names: readonly string[];
  /** Weights of the starts, at least one. */
  readonly starts: readonly Weights[];
  /** Weights of the vertices that were trained before, in their order. */
  readonly before: readonly Weights[];
  /** Weight of the logarithm of the volume beside the loss, at least 0. */
  readonly volume: number;
  /** Schedule of the learning rate, which also scales the move away from other vertices. */
  readonly schedule: ScheduleSpec;
  /** Seed of the places on the simplex. */
  readonly seed: number;
  /** Index of the vertex, from 0. */
  readonly member: number;
}

/** Name of the point that is trained. */
export const VERTEX = "new vertex";

/** Creates the blend of the vertex that is trained and the other vertices. */
export function createVertexBlend(
  { names, starts, before, volume, schedule, seed, member }: Simplex,
  { heights, start }: { readonly heights: readonly HeightAbove[]; readonly start: Checkpoint },
): Blend {
  const corners = new Map([
    ...starts.map((weights, i) => [`start ${i + 1}`, weights] as const),
    ...before.map((weights, i) => [`vertex ${i + 1}`, weights] as const),
  ]);
  const alphas = Array.from({ length: before.length + 2 }, () => 1);
  return {
    points: [
      ...[...corners.keys()].map((name) => ({ name, trained: false })),
      { name: VERTEX, trained: true },
    ],
    start: new Map([[VERTEX, start]]),
    description: { volume, member, starts: starts.length },
    at(step) {
      const random = createRandom(seed, `place of step ${step} of vertex ${member}`);
      const chosen = random.integer(starts.length);
      const [first = 0, ...others] = drawDirichlet(alphas, random);
      return {
        given: corners,
        coefficients: [...starts.map((_, i) => (i === chosen ? first : 0)), ...others],
      };
    },
    afterStep({ finished, steps }: FinishedStep, trained) {
      const rate = learningRateAt(schedule, finished - 1, steps);
      const weights = entry(trained, VERTEX, "vertex");
      for (const above of heights) riseInPlace(weights, { names, above, growth: 2 * rate * volume });
    },
  };
}

/**
 * Moves a vertex away from the others along the gradient of the logarithm of the volume, whose length is one
 * over the height. Along this gradient the square of the height grows linearly, which is stable for heights
 * close to 0, too.
 */
function riseInPlace(
  weights: Weights,
  {
    names,
    above,
    growth,
  }: { readonly names: readonly string[]; readonly above: HeightAbove; readonly growth: number },
): void {
  if (growth === 0) return;
  const { height, upwards } = above(flatten(weights, names));
  if (height === 0) return;
  const share = Math.sqrt(1 + growth / height ** 2) - 1;
  let offset = 0;
  for (const name of names) {
    const data = entry(weights, name, "weight").data as Float32Array;
    for (let i = 0; i < data.length; i++)
      data[i] = (data[i] as number) + share * (upwards[offset + i] as number);
    offset += data.length;
  }
}

/** Prepares the measurement of a vertex's heights above the spaces of each start and the vertices before. */
export function heightsAbove({ names, starts, before }: Simplex): readonly HeightAbove[] {
  const others = before.map((vertex) => flatten(vertex, names));
  return starts.map((start) => heightAbove(flatten(start, names), others));
}

/** Returns the mean of the starts and the vertices before, moved a little in a random direction. */
export function startNear({ names, starts, before, seed, member }: Simplex, spread: number): Checkpoint {
  const vertices = [...starts, ...before];
  const random = createRandom(seed, `start of vertex ${member}`);
  const tensors = new Map<string, Tensor>(at(vertices, 0, "vertex"));
  for (const name of names) {
    const first = entry(at(vertices, 0, "vertex"), name, "weight");
    const mean = new Float64Array(first.data.length);
    for (const vertex of vertices) {
      const { data } = entry(vertex, name, "weight");
      for (let i = 0; i < mean.length; i++)
        mean[i] = (mean[i] as number) + (data[i] as number) / vertices.length;
    }
    const size = Math.sqrt(mean.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, mean.length));
    const moved = mean.map((value) => value + spread * size * random.normal());
    tensors.set(name, createTensor(first.dtype, first.shape, Float32Array.from(moved)));
  }
  return createCheckpoint(tensors, {}, "start of a vertex");
}
