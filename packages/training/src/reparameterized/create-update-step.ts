import type { TensorInfo } from "@isthmus/core";
import { GraphBuilder } from "@isthmus/graph/builder";
import { clipGradients } from "../optimizer/clip-gradients.ts";
import { globalNorm } from "../optimizer/global-norm.ts";
import type { ResolvedOptimizer } from "../optimizer/optimizers.ts";
import { StepScalars } from "../optimizer/step-scalars.ts";
import type { RunnableStep } from "../step/training-step.ts";
import { updateParameters } from "../step/update-parameters.ts";

/** A step that updates one tensor by a gradient that it is fed. */
export interface UpdateStep extends RunnableStep {
  /** Data input for the gradient. */
  readonly gradient: string;
}

/** Version of ONNX's operator set of the graph. */
const OPSET = 17;

/**
 * Makes the graph that updates coordinates as a step of the optimiser, by a gradient that was computed
 * elsewhere. Its `loss` is the norm of the gradient before clipping.
 */
export function createUpdateStep(
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
