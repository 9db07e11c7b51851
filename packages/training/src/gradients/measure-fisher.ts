import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  InputError,
  resolveOptions,
  type Tensor,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { visitGradients } from "./visit-gradients.ts";

/** Options of {@link measureFisher}. */
export interface MeasureFisherOptions {
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the measurement between two examples. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each example with the share of examples that are done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link measureFisher}. */
export const MEASURE_FISHER_DEFAULTS: Required<MeasureFisherOptions> = {
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Measures the diagonal of the Fisher information of a network on labelled data: the mean over examples of
 * the squared gradient of each parameter of the log-likelihood, which the merge method `fisher` needs of
 * every network.
 *
 * It is the empirical Fisher information, by the labels of the data; for token ids, the likelihood of the
 * text. Gradients are computed example by example, so some hundred to some thousand examples are usual:
 * `limitExamples`, or `@1000` in a data set's name. Norms take their running statistics, and there is no
 * dropout. Squares are added up in f64.
 *
 * @returns a checkpoint f32 of the names and shapes of the graph's parameters
 * @throws InputError if the data do not fit the graph, or a gradient is not finite
 * @throws UnsupportedError if the graph takes a fixed number of examples, or an operator has no gradient rule
 *
 * Source: Matena and Raffel, Merging models with Fisher-weighted averaging, 2022, equation 5, with the labels
 * of the data, while the authors take the expectation over labels.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { measureFisher } from "@isthmus/training";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const fisher = await measureFisher(architecture, network, await openDataSet("mnist:train@20"));
 * assert.deepEqual(fisher.tensors.get("layers.0.weight")?.shape, [512, 784]);
 * await saveCheckpoint(fisher, "s0.fisher.safetensors", { overwrite: true });
 * await network.close();
 * ```
 */
export async function measureFisher(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureFisherOptions = {},
): Promise<Checkpoint> {
  const { threads, signal, onProgress } = resolveOptions(
    "measure Fisher information",
    MEASURE_FISHER_DEFAULTS,
    options,
  );
  const sums = new Map<string, Float64Array>();
  const visited = { attempt: "measure Fisher information", network, data };
  await visitGradients({ graph, engine }, visited, { threads, signal, onProgress }, (gradients) => {
    for (const [name, values] of gradients.values) addSquares(sums, name, values, gradients.labels);
  });
  return createFisher(sums, { graph, network, data });
}

function addSquares(
  sums: Map<string, Float64Array>,
  name: string,
  numbers: Float64Array,
  factor: number,
): void {
  const sum = sums.get(name) ?? new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = factor * (numbers[i] as number);
    sum[i] = (sum[i] as number) + value * value;
  }
  sums.set(name, sum);
}

function createFisher(
  sums: ReadonlyMap<string, Float64Array>,
  {
    graph,
    network,
    data,
  }: Pick<Architecture, "graph"> & { readonly network: Checkpoint; readonly data: DataSet },
): Checkpoint {
  const tensors = new Map<string, Tensor>();
  for (const [name, sum] of sums) {
    const { shape } = entry(graph.weights, name, "weight");
    const mean = Float32Array.from(sum, (x) => x / data.size);
    if (!mean.every(Number.isFinite)) {
      throw new InputError(
        `Cannot measure Fisher information of "${network.source}" on "${data.name}" as gradients must be finite: one of "${name}" is not`,
        { input: network.source },
      );
    }
    tensors.set(name, createTensor("f32", shape, mean));
  }
  return createCheckpoint(tensors, {}, `Fisher information of ${network.source}`);
}
