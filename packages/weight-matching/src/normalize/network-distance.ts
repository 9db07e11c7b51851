import { asFloat32, type Checkpoint } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";

/**
 * Measures the distance of two networks in weight space, over all parameters of a specification: the root of
 * the sum of squared differences.
 */
export async function networkDistance(
  [a, b]: readonly [Checkpoint, Checkpoint],
  { weights }: SymmetrySpec,
): Promise<number> {
  let sum = 0;
  for (const [name, { role }] of weights) {
    if (role !== "parameter") continue;
    const [left, right] = await Promise.all([a.read(name), b.read(name)]);
    const [one, two] = [asFloat32(left.data, left.dtype), asFloat32(right.data, right.dtype)];
    for (let i = 0; i < one.length; i++) sum += ((one[i] as number) - (two[i] as number)) ** 2;
  }
  return Math.sqrt(sum);
}
