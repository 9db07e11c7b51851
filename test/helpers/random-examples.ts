import { createRandom, sizeOf } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/** Options of {@link randomExamples}. */
interface RandomExamplesOptions {
  /** Number of examples. */
  readonly size: number;
  /** Labels are drawn from so many classes. @defaultValue 1: all labels are 0 */
  readonly classes?: number;
  readonly seed?: number;
  /** Mean of the inputs, whose standard deviation is 1. @defaultValue 0 */
  readonly mean?: number;
  readonly name?: string;
}

/** Draws examples of a shape, with inputs from a normal distribution and labels at random. */
export function randomExamples(
  shape: readonly number[],
  { size, classes = 1, seed = 5, mean = 0, name = "random" }: RandomExamplesOptions,
): DataSet {
  const random = createRandom(seed, "examples");
  const data = Float32Array.from({ length: size * sizeOf(shape) }, () => mean + random.normal());
  const labels = Int32Array.from({ length: size }, () => random.integer(classes));
  return createDataSet({ dtype: "f32", shape: [size, ...shape], data }, labels, { name });
}
