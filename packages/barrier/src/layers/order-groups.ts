import { createRandom } from "@isthmus/core";
import type { CumulativeOrder } from "../layers-result.ts";

/**
 * Returns the order in which groups are accumulated: indices of groups, which are numbered from shallow to
 * deep.
 *
 * `middle-first` starts in the middle and continues on both sides in turn, the deeper one first. It differs
 * from the reference implementation, which leaves the ends fixed and moves all of the middle at once.
 * @param count - number of groups
 * @param seed - seed of the random order
 */
export function orderGroups(order: CumulativeOrder, count: number, seed: number): number[] {
  const shallowFirst = Array.from({ length: count }, (_, index) => index);
  switch (order) {
    case "shallow-to-deep":
      return shallowFirst;
    case "deep-to-shallow":
      return shallowFirst.reverse();
    case "random":
      return createRandom(seed, "order of layers").shuffleInPlace(shallowFirst);
    case "middle-first": {
      const middle = (count - 1) / 2;
      return shallowFirst.sort((i, j) => Math.abs(i - middle) - Math.abs(j - middle) || j - i);
    }
  }
}
