import type { Tensor } from "@isthmus/core";
import type { TrainingStep } from "../step/training-step.ts";
import type { StepRunner } from "../train/create-step-runner.ts";
import type { Blend, PointWeights } from "./blend.ts";
import { createBlendInputs } from "./create-blend-inputs.ts";
import { takePoint } from "./join-points.ts";

/** Feeds the steps of a training loop the blends they are to be made at. */
export interface BlendFeeder {
  /** As {@link fill} left them, by the data inputs they belong to. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Goes into states. */
  readonly kept: ReadonlyMap<string, Tensor>;
  beginEpoch(epoch: number): Promise<void>;
  fill(step: number): Promise<void>;
}

/** Makes a feeder for the steps of a runner. */
export function createBlendFeeder(blend: Blend, step: TrainingStep, runner: StepRunner): BlendFeeder {
  const inputs = createBlendInputs(step);
  return {
    tensors: inputs.tensors,
    kept: blend.kept ?? new Map(),
    async beginEpoch(epoch) {
      await blend.beginEpoch?.(epoch, trainedPoints(step, runner));
    },
    async fill(at) {
      const { coefficients, given = new Map() } = await blend.at(at);
      inputs.weigh(coefficients);
      for (const [point, weights] of given) inputs.place(point, weights);
    },
  };
}

/** Weights of every trained point as they are after the last step, frozen ones among them. */
export function trainedPoints(step: TrainingStep, runner: StepRunner): Map<string, PointWeights> {
  const tensors = new Map([...runner.fixed, ...runner.carried()]);
  const trained = (step.blend ?? []).filter((point) => point.trained);
  return new Map(trained.map(({ name }) => [name, takePoint(step, name, tensors)]));
}
