import { createRandom } from "@isthmus/core";
import type { DirectionTask } from "./direction-task.ts";
import { type Direction, type DirectionValues, zerosFor } from "./direction-values.ts";

/**
 * Draws directions of independent normal numbers. Every tensor of every direction has a random stream of its
 * own, so that its values do not depend on the number of directions or on the other tensors that they move.
 */
export function randomDirections({ network, names, options }: DirectionTask): Direction[] {
  return Array.from({ length: options.dimensions }, (_, k) => {
    const values: DirectionValues = zerosFor(network, names);
    for (const [name, numbers] of values) {
      const random = createRandom(options.seed, `direction ${k} of ${name}`);
      for (let i = 0; i < numbers.length; i++) numbers[i] = random.normal();
    }
    return { label: `random ${k + 1}`, values };
  });
}
