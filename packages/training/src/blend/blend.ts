import type { Checkpoint, Tensor } from "@isthmus/core";
import type { FinishedStep } from "../train/weight-constraint.ts";
import type { BlendDecay, BlendPoint } from "./blend-point.ts";

/** The weights of one point, by their names in the network. */
export type PointWeights = ReadonlyMap<string, Tensor>;

/** The blend at which a step is made. */
export interface BlendAt {
  /** The coefficient of every point, in the blend's order. */
  readonly coefficients: readonly number[];
  /**
   * Weights of the given points that have changed since the step before, by the points' names. They are fed
   * without copying; a device copies tensors that are not the same objects as before, so that a changed
   * weight must be another tensor.
   */
  readonly given?: ReadonlyMap<string, PointWeights>;
}

/** Several networks, some of them trained, and the weighted sum of them at which each step is made. */
export interface Blend {
  /** Points of the blend, trained and given; coefficients are in this order. */
  readonly points: readonly BlendPoint[];
  /** Weights that weight decay acts on. @defaultValue "points" */
  readonly decay?: BlendDecay;
  /** The weights at which the trained points start, by the points' names. */
  readonly start: ReadonlyMap<string, Checkpoint>;
  /**
   * Description of everything that decides the results of {@link Blend.at} and {@link Blend.beginEpoch}, as
   * plain data. A training resumes from a state only if both have the same description.
   */
  readonly description: Readonly<Record<string, unknown>>;
  /**
   * Returns the blend of a step. It must depend on the step and on {@link Blend.kept} only, so that a
   * training that resumes gives the same bytes. At the first step of a call it must return the weights of all
   * given points.
   */
  readonly at: (step: number) => BlendAt | Promise<BlendAt>;
  /**
   * Called with the weights of the trained points before the first step of each epoch, and before the first
   * step of a call that resumes within an epoch. It must not hold on to these tensors or write to them. Its
   * decisions must be stored in {@link Blend.kept}, from which a training that resumes reads it.
   */
  readonly beginEpoch?: (epoch: number, trained: ReadonlyMap<string, PointWeights>) => void | Promise<void>;
  /**
   * Called after each step with the weights of the trained points that steps change, which it may change in
   * place. Its changes must depend on the step and these weights only, so that a training that resumes gives
   * the same bytes.
   */
  readonly afterStep?: (step: FinishedStep, trained: ReadonlyMap<string, PointWeights>) => void;
  /**
   * Tensors that states hold beside the trained ones, by names that no weight has. A training that resumes
   * reads them from the state in place. @defaultValue none
   */
  readonly kept?: ReadonlyMap<string, Tensor>;
}
