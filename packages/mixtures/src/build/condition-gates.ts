import { at } from "@isthmus/core";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";

/**
 * Computes the condition number of the gates of a layer: the largest singular value over the smallest. Gates
 * that point almost the same way have a large one, and send most tokens alike.
 * @param gates - `[experts, width]`
 * @returns infinity if gates are linearly dependent
 */
export function conditionOfGates(gates: Float32Array, experts: number): number {
  const width = gates.length / experts;
  const products = new Float64Array(experts * experts);
  for (let a = 0; a < experts; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += at(gates, a * width + i) * at(gates, b * width + i);
      products[a * experts + b] = sum;
      products[b * experts + a] = sum;
    }
  }
  const { values } = symmetricEigen(createMatrix(experts, experts, products));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least <= most * Number.EPSILON * experts ? Number.POSITIVE_INFINITY : Math.sqrt(most / least);
}

/** Condition number from which gates are said to be alike, as in mergekit. */
const ALIKE = 5;

/** Describes the layers whose gates are alike; undefined if there are none. */
export function noteAlikeGates(conditions: readonly number[]): string | undefined {
  const alike = conditions.flatMap((condition, layer) => (condition > ALIKE ? [layer] : []));
  if (alike.length === 0) return undefined;
  const where =
    alike.length === conditions.length
      ? "all layers"
      : `${alike.length === 1 ? "layer" : "layers"} ${alike.join(", ")}`;
  return `The gates of ${where} are nearly alike, so that one expert or more will see few tokens: choose prompts that differ more`;
}
