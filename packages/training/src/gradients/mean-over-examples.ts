import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  InputError,
  type Tensor,
} from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { type VisitedNetwork, type VisitGradientsOptions, visitGradients } from "./visit-gradients.ts";

/** Network to measure, with the name of what is measured, such as `gradient`. */
interface MeasuredNetwork extends VisitedNetwork {
  readonly name: string;
}

/**
 * Computes the mean over examples of a term of each derivative, added up in f64.
 * @param termOf - returns the term of a derivative of an example with a number of labels
 * @returns a checkpoint f32 of the names and shapes of the graph's parameters
 * @throws InputError if a mean is not finite
 */
export async function meanOverExamples(
  architecture: Architecture,
  { name: measured, ...visited }: MeasuredNetwork,
  options: VisitGradientsOptions,
  termOf: (derivative: number, labels: number) => number,
): Promise<Checkpoint> {
  const { attempt, network, data } = visited;
  const sums = new Map<string, Float64Array>();
  await visitGradients(architecture, visited, options, ({ values, labels }) => {
    for (const [name, numbers] of values) {
      const sum = sums.get(name) ?? new Float64Array(numbers.length);
      // All parameters are visited for every example: an iterator would be several times slower.
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + termOf(numbers[i] as number, labels);
      sums.set(name, sum);
    }
  });
  const tensors = new Map<string, Tensor>();
  for (const [name, sum] of sums) {
    const mean = Float32Array.from(sum, (x) => x / data.size);
    if (!mean.every(Number.isFinite)) {
      throw new InputError(
        `Cannot ${attempt} of "${network.source}" on "${data.name}" as gradients must be finite: one of "${name}" is not`,
        { input: network.source },
      );
    }
    tensors.set(name, createTensor("f32", entry(architecture.graph.weights, name, "weight").shape, mean));
  }
  return createCheckpoint(tensors, {}, `${measured} of ${network.source}`);
}
