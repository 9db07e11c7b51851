import { at, createTensor, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { TrainingStep } from "../step/training-step.ts";
import type { StepRunner } from "../train/create-step-runner.ts";
import type { FinishedStep } from "../train/weight-constraint.ts";
import type { Blend, PointWeights } from "./blend.ts";
import { takePoint } from "./join-points.ts";

/** Feeder that sets the data inputs by which a blend enters the steps of a training loop. */
export interface BlendFeeder {
  /** Coefficients of the points, by the names of their data inputs, as the last call of {@link fill} set them. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Tensors of the blend that states hold. */
  readonly stored: ReadonlyMap<string, Tensor>;
  /** Calls the blend's `beginEpoch` with the trained points in their present state. */
  beginEpoch(epoch: number): Promise<void>;
  /** Sets {@link tensors} to the blend of a step, and gives the runner the points that have changed. */
  fill(step: number): Promise<void>;
  /** Calls the blend's `afterStep` with the trained points after the step. */
  afterStep(step: FinishedStep): Promise<void>;
}

/** Creates a feeder for the steps of a runner. */
export function createBlendFeeder(blend: Blend, step: TrainingStep, runner: StepRunner): BlendFeeder {
  const inputs = createBlendInputs(step);
  return {
    tensors: inputs.coefficients,
    stored: blend.kept ?? new Map(),
    async beginEpoch(epoch) {
      await blend.beginEpoch?.(epoch, await trainedPoints(step, runner));
    },
    async fill(stepNumber) {
      const blendAt = await blend.at(stepNumber);
      inputs.weigh(blendAt.coefficients);
      for (const [point, weights] of blendAt.given ?? []) inputs.place(point, weights);
      await runner.hold(inputs.given);
    },
    async afterStep(finished) {
      blend.afterStep?.(finished, pointsOf(step, await runner.carried()));
    },
  };
}

/** Returns the weights of every trained point after the last step, frozen weights included. */
export async function trainedPoints(
  step: TrainingStep,
  runner: StepRunner,
): Promise<Map<string, PointWeights>> {
  return pointsOf(step, new Map([...runner.fixed, ...(await runner.carried())]));
}

/** Returns the weights of every trained point that are among some tensors. */
function pointsOf(step: TrainingStep, tensors: ReadonlyMap<string, Tensor>): Map<string, PointWeights> {
  const trained = (step.blend ?? []).filter((point) => point.trained);
  return new Map(trained.map(({ name }) => [name, takePoint(step, name, tensors)]));
}

/** The data inputs of a step of a blend beside its batch. */
export interface BlendInputs {
  /** Coefficients by the names of their data inputs; always the same map. */
  readonly coefficients: ReadonlyMap<string, Tensor>;
  /** Tensors of given points, by the names of their data inputs; always the same map. */
  readonly given: ReadonlyMap<string, Tensor>;
  /** Coefficients and the tensors of given points, by the names of their data inputs; always the same map. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /**
   * Sets the coefficient of every point, in the step's order.
   * @throws OutOfRangeError if there are not as many coefficients as points
   */
  weigh(coefficients: readonly number[]): void;
  /**
   * Sets the weights of a given point, by their names in the network. The tensors themselves are fed, not
   * copies.
   * @throws OutOfRangeError if there is no given point of that name, or a weight is missing
   */
  place(point: string, weights: ReadonlyMap<string, Tensor>): void;
}

/**
 * Allocates the data inputs of a blend that change from step to step. Coefficients start as 0, given points
 * without weights.
 * @param step - made with `blend`
 */
export function createBlendInputs({ graph, blend = [] }: TrainingStep): BlendInputs {
  const scalars = blend.map(({ coefficient }) => {
    return [coefficient, createTensor("f32", [], new Float32Array(1))] as const;
  });
  const tensors = new Map<string, Tensor>(scalars);
  const given = new Map<string, Tensor>();
  return {
    coefficients: new Map(scalars),
    given,
    tensors,
    weigh(coefficients) {
      if (coefficients.length !== blend.length) {
        throw new OutOfRangeError(
          `Cannot weigh the points of a blend as each needs one coefficient: got ${coefficients.length} for ${blend.length}`,
        );
      }
      for (const [k, [, { data }]] of scalars.entries()) data[0] = at(coefficients, k, "coefficient");
    },
    place(name, weights) {
      const point = blend.find((candidate) => candidate.name === name && !candidate.trained);
      if (point === undefined) {
        throw new OutOfRangeError(
          `Cannot place a network in a blend of graph "${graph.name}" as it must have a given point of that name: there is no "${name}"`,
        );
      }
      for (const [weight, enters] of point.weights) {
        const tensor = weights.get(weight);
        if (tensor === undefined) {
          throw new OutOfRangeError(
            `Cannot place a network at "${name}" of a blend as it must have every weight: there is no "${weight}"`,
          );
        }
        given.set(enters, tensor);
        tensors.set(enters, tensor);
      }
    },
  };
}
