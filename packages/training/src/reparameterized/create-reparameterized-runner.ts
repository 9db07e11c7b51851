import {
  allocateData,
  createCheckpoint,
  createTensor,
  entry,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { GraphBuilder } from "@isthmus/graph/builder";
import { clipGradients } from "../optimizer/clip-gradients.ts";
import { globalNorm } from "../optimizer/global-norm.ts";
import { type ResolvedOptimizer, resolveOptimizer } from "../optimizer/optimizers.ts";
import { StepScalars } from "../optimizer/step-scalars.ts";
import type { RunnableStep, TrainingStep } from "../step/training-step.ts";
import { updateParameters } from "../step/update-parameters.ts";
import { createStepRunner, type StepRunner } from "../train/create-step-runner.ts";
import type { ResolvedTrainOptions } from "../train/train-options.ts";
import { unusedName } from "../unused-name.ts";
import type { Reparameterization } from "./reparameterization.ts";

/** Version of ONNX's operator set of the graph. */
const OPSET = 17;

/** Runner of training steps that change coordinates, from which the network's parameters are computed. */
export interface ReparameterizedRunner extends StepRunner {
  /** Returns the coordinates after the last step. */
  coordinates(): Promise<Float32Array>;
  /**
   * Writes the parameters that belong to the coordinates, for coordinates that were read from a state.
   * @param step - the step that the parameters are for, from 0
   */
  place(step: number): Promise<void>;
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

/** A step that updates one tensor by a gradient that it is fed. */
interface UpdateStep extends RunnableStep {
  /** Data input for the gradient. */
  readonly gradient: string;
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
  // Coordinates change the parameters after every step.
  const options = { seed, threads, returnsEach: true };
  const differentiating = await createStepRunner(step, engine, createCheckpoint(weights), options);
  const updating = await createStepRunner(
    update,
    engine,
    createCheckpoint(new Map([[name, start]])),
    options,
  );
  const coordinates = async () => entry(await updating.carried(), name, "coordinates").data as Float32Array;
  const place = async (at: number) => reparameterization.placeInto(await coordinates(), parameters, at);
  await place(0);
  return {
    coordinates,
    place,
    carried: async () => new Map([...(await differentiating.carried()), ...(await updating.carried())]),
    gradients: differentiating.gradients,
    hold: (tensors) => differentiating.hold(tensors),
    fixed: new Map([...differentiating.fixed, ...parameters]),
    async run(stepAt, data) {
      const outcome = await differentiating.run(stepAt, new Map([...data, ...parameters]));
      reparameterization.pullBackInto(differentiating.gradients, gradient.data as Float32Array);
      const { metrics } = await updating.run(stepAt, new Map([[update.gradient, gradient]]));
      await place(stepAt.step + 1);
      return { loss: outcome.loss, metrics: new Map([...outcome.metrics, ...metrics]) };
    },
    async release() {
      await differentiating.release();
      await updating.release();
    },
  };
}

const zeros = (dimension: number): Tensor => createTensor("f32", [dimension], new Float32Array(dimension));

/**
 * Makes the graph that updates coordinates as a step of the optimiser, by a gradient that was computed
 * elsewhere. Its `loss` is the norm of the gradient before clipping.
 */
function createUpdateStep(
  name: string,
  dimension: number,
  optimizer: Omit<ResolvedOptimizer, "rho">,
): UpdateStep {
  const builder = new GraphBuilder("update", OPSET);
  const info: TensorInfo = { dtype: "f32", shape: [dimension] };
  const parameter = builder.weight(name, info);
  const gradient = builder.input("gradient", info);
  const scalars = new StepScalars(builder, builder.build([parameter]));
  const clipped =
    optimizer.clipNorm === null
      ? { gradients: [gradient], norm: globalNorm([gradient]) }
      : clipGradients([gradient], optimizer.clipNorm);
  // Rules by the number of axes are for biases and norms, and coordinates are neither.
  const decayOf = () => optimizer.decayOf({ name, shape: [dimension, 1] });
  const updates = updateParameters({ ...optimizer, decayOf }, scalars, {
    parameters: [parameter],
    gradients: clipped.gradients,
    trained: new Map([[name, { name }]]),
  });
  const { norm } = clipped;
  return {
    graph: builder.build([norm, ...updates.map(({ output }) => output)]),
    gradient: gradient.name,
    carried: updates.map(({ input, output, role }) => {
      return { input: input.name, output: output.name, role, dtype: input.dtype, shape: input.shape };
    }),
    scalars: scalars.inputs,
    masks: [],
    loss: norm.name,
    metrics: new Map(optimizer.clipNorm === null ? [] : [["gradientNorm", norm.name]]),
  };
}
