import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { findLinearLayers } from "./find-linear-layers.ts";
import { measureSecondMoments, type SecondMoments } from "./measure-second-moments.ts";
import type { ActivationStatisticsOptions } from "./statistics-options.ts";

/** Result of {@link measureGrams}. */
export interface MeasureGramsResult {
  /** Gram matrices f64 `[inputs, inputs]`, each under the name of the weight of its linear layer. */
  readonly grams: Checkpoint;
  /**
   * Names of weights of matrix products that are stored as `[inputs, outputs]`, which merging by Gram
   * matrices does not handle; with `inputsFirst` only products of other forms.
   */
  readonly leftOut: readonly string[];
  /** Names of the weights with a Gram matrix that are stored as `[inputs, outputs]`. */
  readonly inputsFirst: readonly string[];
}

/** Options of {@link measureGrams}. */
export interface MeasureGramsOptions extends ActivationStatisticsOptions {
  /**
   * Whether layers whose weight is stored as `[inputs, outputs]`, as in GPT-2, are measured, too.
   * @defaultValue false
   */
  readonly inputsFirst?: boolean;
}

/**
 * Measures the Gram matrices of the inputs of a network's linear layers on data: `X^T X` of the inputs `X` of
 * all examples and positions, which the merge method `regmean` needs of every network.
 *
 * Linear layers are products with a weight `[outputs, inputs]`, as PyTorch stores it. Products are added up
 * in f32 over up to 4096 samples and then in f64, so that matrices are exact to about 1e-6.
 *
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws UnsupportedError if the graph has no linear layer
 *
 * Source: Jin et al., Dataless knowledge fusion by merging weights of language models, 2023, section 3.2.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { measureGrams } from "@isthmus/statistics";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const { grams } = await measureGrams(architecture, network, await openDataSet("mnist:train@200"));
 * assert.deepEqual(grams.tensors.get("layers.3.weight")?.shape, [512, 512]);
 * await saveCheckpoint(grams, "s0.grams.safetensors", { overwrite: true });
 * await network.close();
 * ```
 */
export async function measureGrams(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { inputsFirst = false, ...options }: MeasureGramsOptions = {},
): Promise<MeasureGramsResult> {
  const linear = findLinearLayers(architecture.graph);
  const layers = linear.layers.filter(({ isFirst }) => inputsFirst || !isFirst);
  const others = linear.layers.flatMap(({ weight }) =>
    layers.some((layer) => layer.weight === weight) ? [] : [weight],
  );
  const leftOut = [...new Set([...linear.leftOut, ...others])];
  if (layers.length === 0) {
    throw new UnsupportedError(
      `Cannot measure Gram matrices of graph "${architecture.graph.name}" as it must have a linear layer of a weight [outputs, inputs]: it has none`,
      { feature: "linear layers" },
    );
  }
  const values = [...new Set(layers.map(({ input }) => input))];
  const moments = await measureSecondMoments(architecture, network, data, { ...options, values });
  const gramOf = new Map(values.map((value, i) => [value, createGram(at(moments, i, "value"))]));
  const tensors = new Map<string, Tensor>();
  for (const { weight, input } of layers) {
    const gram = gramOf.get(input);
    if (gram !== undefined) tensors.set(weight, gram);
  }
  return {
    grams: createCheckpoint(tensors, {}, `Gram matrices of ${network.source}`),
    leftOut,
    inputsFirst: layers.flatMap(({ weight, isFirst }) => (isFirst ? [weight] : [])),
  };
}

/** Turns mean products back into sums of products. */
function createGram({ count, mean, products }: SecondMoments): Tensor {
  return createTensor(
    "f64",
    [mean.length, mean.length],
    products.map((product) => count * product),
  );
}
