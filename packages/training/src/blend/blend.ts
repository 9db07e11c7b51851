import type { Checkpoint, Tensor } from "@isthmus/core";
import type { BlendDecay, BlendPoint } from "./blend-point.ts";

/** Weights by their names in the network. */
export type PointWeights = ReadonlyMap<string, Tensor>;

/** The blend a step is made at. */
export interface BlendAt {
  /** Of every point, in the blend's order. */
  readonly coefficients: readonly number[];
  /** Weights of the given points that are others than at the step before, by the points' names; fed without copying. */
  readonly given?: ReadonlyMap<string, PointWeights>;
}

/** Several networks, some of them trained, and the weighted sum of them that each step is made at. */
export interface Blend {
  readonly points: readonly BlendPoint[];
  /** Which weights decay. @defaultValue "points" */
  readonly decay?: BlendDecay;
  /** Where the trained points start, by their names. */
  readonly start: ReadonlyMap<string, Checkpoint>;
  /** All that decides {@link Blend.at} and {@link Blend.beginEpoch}, as plain data: a training resumes only where it is the same. */
  readonly description: Readonly<Record<string, unknown>>;
  /**
   * Says the blend of a step. It must depend on the step and on {@link Blend.kept} only, so that a training that
   * resumes gives the same bytes. The first step of a call must be given all given points.
   */
  readonly at: (step: number) => BlendAt | Promise<BlendAt>;
  /**
   * Called before the first step of each epoch, and of a call that resumes within one, with the weights of the trained points, which
   * are not to be kept or written to. What it decides must be in {@link Blend.kept}, from where a training that resumes has it.
   */
  readonly beginEpoch?: (epoch: number, trained: ReadonlyMap<string, PointWeights>) => void | Promise<void>;
  /**
   * Tensors that go into states, and are read from them in place, beside those that are trained; under names that no weight has.
   * @defaultValue none
   */
  readonly kept?: ReadonlyMap<string, Tensor>;
}
