import { at } from "@isthmus/core";
import { type Alignment, compose, identityAlignment } from "@isthmus/symmetry";
import { journaled, type ManyMatching, matchTwo } from "./many-matching.ts";
import { sumPermuted } from "./sum-permuted.ts";

/**
 * Matches networks in pairs, then pairs of pairs, and so on: each group of networks counts as the sum of its
 * members.
 *
 * @see Hierarchical MergeMany (arXiv 2510.09174), which is for `2^n` networks and takes midpoints; here any
 *   number of networks make a tree whose last group may be smaller, and sums give every network equal weight
 */
export async function matchByTree(matching: ManyMatching): Promise<Alignment[]> {
  const { networks, spec, onProgress } = matching;
  const universe = networks.map(() => identityAlignment(spec));
  const sumOf = (group: readonly number[]) =>
    sumPermuted(
      group.map((i) => ({ network: at(networks, i, "network"), alignment: at(universe, i, "network") })),
      spec,
    );
  let groups: readonly (readonly number[])[] = networks.map((_, i) => [i]);
  let joined = 0;
  while (groups.length > 1) {
    const next: (readonly number[])[] = [];
    for (let g = 0; g < groups.length; g += 2) {
      const [left, right] = [at(groups, g, "group"), groups[g + 1]];
      if (right === undefined) {
        next.push(left);
        continue;
      }
      onProgress(joined / (networks.length - 1));
      const [toLeft] = await journaled(matching, `tree ${left.join("+")} ${right.join("+")}`, async () => [
        await matchTwo(matching, [sumOf(left), sumOf(right)]),
      ]);
      for (const i of right) universe[i] = compose(toLeft as Alignment, at(universe, i, "network"));
      next.push([...left, ...right]);
      joined++;
    }
    groups = next;
  }
  return universe;
}
