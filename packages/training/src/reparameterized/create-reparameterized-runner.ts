import { allocateData, createCheckpoint, createTensor, entry, type Tensor } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { resolveOptimizer } from "../optimizer/optimizers.ts";
import type { TrainingStep } from "../step/training-step.ts";
import { createStepRunner, type StepRunner } from "../train/create-step-runner.ts";
import type { ResolvedTrainOptions } from "../train/train-options.ts";
import { unusedName } from "../unused-name.ts";
import { createUpdateStep } from "./create-update-step.ts";
import type { Reparameterization } from "./reparameterization.ts";

/** Runner of training steps that change coordinates, from which the network's parameters are computed. */
export interface ReparameterizedRunner extends StepRunner {
  /** Returns the coordinates after the last step. */
  coordinates(): Float32Array;
  /**
   * Writes the parameters that belong to the coordinates, for coordinates that were read from a state.
   * @param step - the step that the parameters are for, from 0
   */
  place(step: number): void;
}

/** The network by whose gradients steps are made. */
export interface ReparameterizedStep {
  /** Step that returns gradients, made with `gradientsOnly`. */
  readonly step: TrainingStep;
  /** Engine that computes the gradients. */
  readonly engine: Engine;
  /** Weights that training starts from, all of them, under the graph's names. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Map from coordinates to the trained parameters. */
  readonly reparameterization: Reparameterization;
}

/**
 * Prepares to make steps that change coordinates: the engine computes gradients by the parameters, the map
 * pulls them back to a gradient by the coordinates, the optimiser makes its step with it, and the map places
 * the parameters anew. Parameters are a function of coordinates and step alone, so that a resumed training
 * goes on with the same bytes.
 */
export async function createReparameterizedRunner(
  { step, engine, weights, reparameterization }: ReparameterizedStep,
  { seed, threads, optimizer }: Pick<ResolvedTrainOptions, "seed" | "threads" | "optimizer">,
): Promise<ReparameterizedRunner> {
  const { dimension } = reparameterization;
  const name = unusedName(step.graph, "coordinates");
  const update = createUpdateStep(name, dimension, resolveOptimizer(optimizer));
  const parameters = new Map(
    [...(step.gradients?.keys() ?? [])].map((trained) => {
      const { dtype, shape, data } = entry(weights, trained, "weight");
      const tensor = createTensor(dtype, shape, allocateData(dtype, data.length));
      tensor.data.set(data as never);
      return [trained, tensor] as const;
    }),
  );
  const start = zeros(dimension);
  const gradient = zeros(dimension);
  const options = { seed, threads };
  const differentiating = await createStepRunner(step, engine, createCheckpoint(weights), options);
  const updating = await createStepRunner(
    update,
    engine,
    createCheckpoint(new Map([[name, start]])),
    options,
  );
  const coordinates = () => entry(updating.carried(), name, "coordinates").data as Float32Array;
  const place = (at: number) => reparameterization.placeInto(coordinates(), parameters, at);
  place(0);
  return {
    coordinates,
    place,
    carried: () => new Map([...differentiating.carried(), ...updating.carried()]),
    gradients: differentiating.gradients,
    fixed: new Map([...differentiating.fixed, ...parameters]),
    async run(stepAt, data) {
      const outcome = await differentiating.run(stepAt, new Map([...data, ...parameters]));
      reparameterization.pullBackInto(differentiating.gradients, gradient.data as Float32Array);
      const { metrics } = await updating.run(stepAt, new Map([[update.gradient, gradient]]));
      place(stepAt.step + 1);
      return { loss: outcome.loss, metrics: new Map([...outcome.metrics, ...metrics]) };
    },
    async release() {
      await differentiating.release();
      await updating.release();
    },
  };
}

const zeros = (dimension: number): Tensor => createTensor("f32", [dimension], new Float32Array(dimension));
