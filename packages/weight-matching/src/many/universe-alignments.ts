import { at } from "@isthmus/core";
import { type Alignment, compose, invert } from "@isthmus/symmetry";

/**
 * Returns the alignment that brings one network to another through the universe: `P_a` inverted after `P_b`.
 *
 * Whichever way one goes round a circle of networks, the composition of the alignments on the way moves
 * nothing.
 *
 * @param universe - for each network, the alignment that permutes it into the universe
 * @param a - index of the network that is aligned to
 * @param b - index of the network that is aligned
 * @returns permutes network `b` so that it corresponds to network `a`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compose } from "@isthmus/symmetry";
 * import { alignmentBetween } from "@isthmus/weight-matching";
 *
 * const universe = [[0, 1, 2], [2, 0, 1], [1, 0, 2]].map((units) => ({ source: Int32Array.from(units) }));
 * const between = (a: number, b: number) => alignmentBetween(universe, a, b);
 * const circle = compose(compose(between(0, 1), between(1, 2)), between(2, 0));
 * assert.deepEqual([...circle.source], [0, 1, 2]);
 * ```
 */
export function alignmentBetween(universe: readonly Alignment[], a: number, b: number): Alignment {
  return compose(invert(at(universe, a, "network")), at(universe, b, "network"));
}

/** Returns the alignments to a universe whose units are in the places of one of its networks. */
export function inCoordinatesOf(universe: readonly Alignment[], reference: number): Alignment[] {
  return universe.map((_, network) => alignmentBetween(universe, reference, network));
}
