import { allocateData, convertData, type DType, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { TrainingStep } from "@isthmus/training";

/** What some steps did. */
export interface StepsResult {
  /** Parameters, statistics and state after the last step, by the names they enter by. */
  readonly carried: ReadonlyMap<string, Tensor>;
  readonly losses: readonly number[];
  /** Metrics of each step. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
}

/** What steps are fed. */
export interface StepsInput {
  readonly steps: number;
  /** A tensor for every weight of the network. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Data inputs of a step but its scalars. */
  readonly feedsAt: (step: number) => ReadonlyMap<string, Tensor>;
  /** @defaultValue 0.1 */
  readonly rateAt?: (step: number) => number;
}

/** Runs steps one after another on one thread, as a loop does. */
export async function runSteps(
  step: TrainingStep,
  { steps, weights, feedsAt, rateAt = () => 0.1 }: StepsInput,
): Promise<StepsResult> {
  const session = await createOnnxRuntimeEngine().load(step.graph, { threads: 1 });
  const feeds = new Map(weights);
  for (const { input, role, dtype, shape } of step.carried) {
    if (role === "state") feeds.set(input, { dtype, shape, data: allocateData(dtype, sizeOf(shape)) });
  }
  const losses: number[] = [];
  const metrics: Record<string, number>[] = [];
  try {
    for (let count = 0; count < steps; count++) {
      for (const [name, tensor] of feedsAt(count)) feeds.set(name, tensor);
      for (const { name, valueAt } of step.scalars) {
        feeds.set(name, {
          dtype: "f32",
          shape: [],
          data: Float32Array.of(valueAt(count, rateAt(count))),
        });
      }
      const results = await session.run(feeds);
      for (const { input, output } of step.carried) {
        if (output !== undefined) feeds.set(input, results.get(output) as Tensor);
      }
      losses.push(Number(results.get(step.loss)?.data[0]));
      metrics.push(
        Object.fromEntries(
          [...step.metrics].map(([what, output]) => [what, Number(results.get(output)?.data[0])]),
        ),
      );
    }
  } finally {
    await session.release();
  }
  return {
    carried: new Map(step.carried.map(({ input }) => [input, feeds.get(input) as Tensor])),
    losses,
    metrics,
  };
}

/** Whole numbers as a tensor. */
export function integers(numbers: readonly number[], dtype: DType = "i64", shape = [numbers.length]): Tensor {
  return { dtype, shape, data: convertData(Float64Array.from(numbers), "f64", dtype) };
}

/** Elements of a tensor as numbers. */
export function numbersOf({ data, dtype }: Tensor): number[] {
  return Array.from(convertData(data, dtype, "f64") as Float64Array);
}
