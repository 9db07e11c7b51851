import { assertWholeOptions, at, type Checkpoint, resolveOptions, UsageError } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { average, innerProducts } from "@isthmus/interpolation";
import type { GradientSigns } from "@isthmus/recipe";
import { measureGradient } from "@isthmus/training";

/** Options of {@link measureGradientSigns}. */
export interface MeasureGradientSignsOptions {
  /** Network that the others were fine-tuned from. @defaultValue undefined: no slope is measured */
  readonly base?: Checkpoint | undefined;
  /** Number of examples of each data set, from the first, at least 1. @defaultValue 64 */
  readonly examples?: number;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share that is done, in `[0, 1]`. @defaultValue nothing is called */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Defaults of {@link measureGradientSigns}. */
const MEASURE_GRADIENT_SIGNS_DEFAULTS: Required<MeasureGradientSignsOptions> = {
  base: undefined,
  examples: 64,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Measures signs of how networks will merge by gradients at their mean: whether the losses of their
 * examples pull the same way, and whether the loss rises or falls along the step from the base to the
 * mean.
 *
 * Gradient alignment predicts the outcome of a merge best among many measures (Zhao et al., Demystifying
 * mergeability, 2026, arXiv 2601.22285), there at the networks themselves. We measure at their mean, where
 * the gradients of trained networks have not vanished, and add the slope along the mean step, which says
 * in what direction the step errs.
 *
 * @param networks - networks under the names of the graph
 * @param data - examples of each network's task, one data set for each network, or one for all
 * @throws UsageError if there are neither one data set nor as many as networks
 * @throws OutOfRangeError if `examples` is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { measureGradientSigns } from "@isthmus/merge-learning";
 * import { openArchitecture } from "@isthmus/zoo";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const open = (s: string) => openCheckpoint(`examples/mnist-mlp/${s}.safetensors`);
 * const networks = await Promise.all(["s0", "s1"].map(open));
 * const data = await openDataSet("mnist:train@16");
 * const { alignment, slope } = await measureGradientSigns(architecture, networks, [data]);
 * assert.deepEqual([alignment, slope], [null, null]); // one data set, and no base
 * await Promise.all(networks.map((network) => network.close()));
 * ```
 */
export async function measureGradientSigns(
  architecture: Architecture,
  networks: readonly Checkpoint[],
  data: readonly DataSet[],
  options: MeasureGradientSignsOptions = {},
): Promise<GradientSigns> {
  const attempt = "measure signs of gradients";
  const resolved = resolveOptions(attempt, MEASURE_GRADIENT_SIGNS_DEFAULTS, options);
  const { base, examples, signal, onProgress } = resolved;
  assertWholeOptions(attempt, resolved, { examples: 1 });
  if (data.length !== 1 && data.length !== networks.length) {
    throw new UsageError(
      `Cannot ${attempt} as there must be one data set, or one for each of ${networks.length} networks: got ${data.length}`,
    );
  }
  const mean = average(networks);
  const gradients: Checkpoint[] = [];
  for (const [i, one] of data.entries()) {
    onProgress?.(i / data.length);
    const some = limitExamples(attempt, one, examples);
    gradients.push(await measureGradient(architecture, mean, some, { signal }));
  }
  onProgress?.(1);
  const tensors = [...architecture.graph.weights]
    .filter(([, { role }]) => role === "parameter")
    .map(([name]) => name);
  return signsOf(gradients, base === undefined ? [] : [mean, base], tensors);
}

/** Computes the signs by scalar products of the gradients with each other, and with the step. */
async function signsOf(
  gradients: readonly Checkpoint[],
  ends: readonly Checkpoint[],
  tensors: readonly string[],
): Promise<GradientSigns> {
  const all = [...gradients, ...ends];
  const unit = (position: number) => all.map((_, i) => Number(i === position));
  const step = all.map((_, i) => (i < gradients.length ? 0 : i === gradients.length ? 1 : -1));
  const directions = [...gradients.map((_, i) => unit(i)), ...(ends.length === 0 ? [] : [step])];
  const products = await innerProducts(all, directions, { tensors });
  const product = (i: number, j: number) => at(at(products, i, "row"), j, "product");
  const cosines = gradients.flatMap((_, i) =>
    gradients.slice(i + 1).map((__, k) => {
      const scale = Math.sqrt(product(i, i) * product(i + 1 + k, i + 1 + k));
      return scale === 0 ? 0 : product(i, i + 1 + k) / scale;
    }),
  );
  const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return {
    alignment: cosines.length === 0 ? null : meanOf(cosines),
    slope: ends.length === 0 ? null : meanOf(gradients.map((_, i) => product(i, gradients.length))),
  };
}
