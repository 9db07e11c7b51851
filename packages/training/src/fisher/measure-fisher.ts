import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  InputError,
  resolveOptions,
  type Tensor,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, planFeeds, specialize } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss } from "../loss/attach-loss.ts";
import { lossOfData } from "../loss/loss-of-data.ts";
import { createTargetFiller } from "../train/create-target-filler.ts";

/** Options of {@link measureFisher}. */
export interface MeasureFisherOptions {
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
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
 * of the data where the authors take the expectation over labels.
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
  const plan = planFeeds("measure Fisher information", graph, data, 1);
  if (plan.fixedBatch !== undefined && plan.fixedBatch !== 1) {
    throw new UnsupportedError(
      `Cannot measure Fisher information of graph "${graph.name}" as it must take single examples: it takes ${plan.fixedBatch} at once; free its batch by freeBatch()`,
      { feature: "fixed batch" },
    );
  }
  const weights = await bindWeights(graph, network);
  const typed = await specialize({ graph, engine }, { batch: 1, extents: plan.extents });
  const { graph: withLoss, loss, ...objective } = attachLoss(typed, lossOfData(graph, data));
  const differentiated = gradient({ ...withLoss, outputs: [{ name: loss }] }, { loss });
  const parameters = [...graph.weights.keys()].filter((name) =>
    differentiated.outputs.some((output) => output.name === gradientName(loss, name)),
  );
  const sums = new Map<string, Float64Array>();
  const session = await engine.load(lowerBatchNorm(differentiated), { threads });
  try {
    for (let i = 0; i < data.size; i++) {
      signal?.throwIfAborted();
      const example = data.read(i, i + 1);
      const { examples, targets, targetWeights } = objective;
      const step = {
        ...{ graph: withLoss, batch: 1, examples, targets: targets.name },
        ...(targetWeights === undefined ? {} : { targetWeights }),
      };
      const filler = createTargetFiller(step, example, { classes: data.classes });
      filler.fill();
      const feeds = new Map([...weights, ...plan.feedsOf(example)]);
      if (targets.name !== examples) feeds.set(targets.name, filler.targets);
      if (targetWeights !== undefined && filler.weights !== undefined)
        feeds.set(targetWeights, filler.weights);
      const factor = likelihoodFactor(filler.targets, targets.name === examples, filler.weights);
      const results = await session.run(feeds);
      for (const name of parameters)
        addSquares(sums, name, entry(results, gradientName(loss, name), "gradient"), factor);
      onProgress?.({ done: (i + 1) / data.size });
    }
  } finally {
    await session.release();
  }
  return createFisher(sums, { graph, network, data });
}

/**
 * Returns the number of labels of an example that count: the loss is their mean, and the log-likelihood of
 * the example their sum.
 */
function likelihoodFactor(targets: Tensor, isText: boolean, weights: Tensor | undefined): number {
  if (weights !== undefined) return toFloat64(weights.data, weights.dtype).reduce((sum, x) => sum + x, 0);
  // Nothing comes before the first token.
  if (isText) return Math.max(1, targets.data.length - 1);
  return targets.dtype === "i64" ? targets.data.length : 1;
}

function addSquares(
  sums: Map<string, Float64Array>,
  name: string,
  { data, dtype }: Tensor,
  factor: number,
): void {
  const numbers = toFloat64(data, dtype);
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
