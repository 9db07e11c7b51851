import { createRandom } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import { completeUnits } from "./complete-units.ts";
import type { SymmetrySpec } from "./spec.ts";

/**
 * Draws a random element of the symmetry group, all equally likely: the units of every cell are shuffled.
 * @throws OutOfRangeError if `seed` is not a whole number in `[0, 2^53)`
 */
export function randomAlignment(spec: SymmetrySpec, seed: number): Alignment {
  const random = createRandom(seed, "alignment");
  return completeUnits(spec, ({ size }) =>
    random.shuffleInPlace(Int32Array.from({ length: size }, (_, i) => i)),
  );
}
