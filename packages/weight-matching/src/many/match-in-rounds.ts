import { at, createRandom } from "@isthmus/core";
import { type Alignment, identityAlignment } from "@isthmus/symmetry";
import { type ManyMatching, matchTwo } from "./many-matching.ts";
import { sumPermuted } from "./sum-permuted.ts";
import type { Polishing } from "./universe/polish-universe.ts";

/**
 * Finds places for networks one after another, in random order: each in the place in which it best matches
 * the sum of the networks before it.
 */
export async function placeOneByOne(matching: ManyMatching): Promise<Alignment[]> {
  const { networks, spec, seed, onProgress } = matching;
  const universe = networks.map(() => identityAlignment(spec));
  const order = createRandom(seed, "place one by one").shuffleInPlace(Int32Array.from(universe.keys()));
  for (let k = 1; k < order.length; k++) {
    onProgress(k / order.length);
    const i = at(order, k, "network");
    const placed = sumOf(matching, universe, [...order.subarray(0, k)]);
    universe[i] = await matchTwo(matching, [placed, at(networks, i, "network")]);
  }
  return universe;
}

/**
 * Matches each network to the sum of the others, from its present place on, in random order, until none
 * moves.
 *
 * It reads weights when they are needed, and also moves symmetries that a `Universe` leaves out; if
 * everything fits into memory, `polishUniverse` finds the same kind of optimum much faster.
 *
 * @param universe - the alignments of the networks; changed
 */
export async function matchInRounds(
  matching: ManyMatching,
  universe: Alignment[],
  { maxRounds }: { readonly maxRounds: number },
): Promise<Polishing> {
  const { networks, seed, signal } = matching;
  const random = createRandom(seed, "match in rounds");
  for (let rounds = 1; rounds <= maxRounds; rounds++) {
    let moved = false;
    for (const i of random.shuffleInPlace(Int32Array.from(networks.keys()))) {
      signal?.throwIfAborted();
      const others = [...networks.keys()].filter((other) => other !== i);
      const start = at(universe, i, "network");
      const pair = [sumOf(matching, universe, others), at(networks, i, "network")] as const;
      const next = await matchTwo(matching, pair, { start, restarts: 1, search: "coordinate-descent" });
      if (next.source.every((unit, place) => unit === start.source[place])) continue;
      universe[i] = next;
      moved = true;
    }
    if (!moved) return { rounds, status: "converged" };
  }
  return { rounds: maxRounds, status: "maxSweeps" };
}

function sumOf({ networks, spec }: ManyMatching, universe: readonly Alignment[], members: readonly number[]) {
  return sumPermuted(
    members.map((i) => ({ network: at(networks, i, "network"), alignment: at(universe, i, "network") })),
    spec,
  );
}
