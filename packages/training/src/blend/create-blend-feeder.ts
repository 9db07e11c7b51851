import type { Tensor } from "@isthmus/core";
import type { TrainingStep } from "../step/training-step.ts";
import type { StepRunner } from "../train/create-step-runner.ts";
import type { Blend, PointWeights } from "./blend.ts";
import { createBlendInputs } from "./create-blend-inputs.ts";
import { takePoint } from "./join-points.ts";

/** Sets the data inputs by which a blend enters the steps of a training loop. */
export interface BlendFeeder {
  /** Tensors of these data inputs, by the inputs' names, as {@link fill} left them. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Tensors of the blend that states hold. */
  readonly stored: ReadonlyMap<string, Tensor>;
  /** Calls the blend's `beginEpoch` with the trained points as they are now. */
  beginEpoch(epoch: number): Promise<void>;
  /** Sets {@link tensors} to the blend of a step. */
  fill(step: number): Promise<void>;
}

/** Creates a feeder for the steps of a runner. */
export function createBlendFeeder(blend: Blend, step: TrainingStep, runner: StepRunner): BlendFeeder {
  const inputs = createBlendInputs(step);
  return {
    tensors: inputs.tensors,
    stored: blend.kept ?? new Map(),
    async beginEpoch(epoch) {
      await blend.beginEpoch?.(epoch, trainedPoints(step, runner));
    },
    async fill(stepNumber) {
      const blendAt = await blend.at(stepNumber);
      inputs.weigh(blendAt.coefficients);
      for (const [point, weights] of blendAt.given ?? []) inputs.place(point, weights);
    },
  };
}

/** Returns the weights of every trained point as they are after the last step, frozen weights included. */
export function trainedPoints(step: TrainingStep, runner: StepRunner): Map<string, PointWeights> {
  const tensors = new Map([...runner.fixed, ...runner.carried()]);
  const trained = (step.blend ?? []).filter((point) => point.trained);
  return new Map(trained.map(({ name }) => [name, takePoint(step, name, tensors)]));
}
