import { type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { meanOverExamples } from "./mean-over-examples.ts";

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
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureFisherOptions = {},
): Promise<Checkpoint> {
  const attempt = "measure Fisher information";
  const resolved = resolveOptions(attempt, MEASURE_FISHER_DEFAULTS, options);
  const visited = { attempt, network, data, name: "Fisher information" };
  return meanOverExamples(architecture, visited, resolved, (derivative, labels) => {
    const value = labels * derivative;
    return value * value;
  });
}
