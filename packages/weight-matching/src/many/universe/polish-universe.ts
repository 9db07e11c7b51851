import { at, innerProduct, type Random } from "@isthmus/core";
import type { BlockMatcher, Proposal } from "../../coordinate-descent/block-matcher.ts";
import type { Placement } from "../../coordinate-descent/placement.ts";
import type { Universe } from "./universe.ts";
import type { UniverseNetwork } from "./universe-network.ts";

/** Options of {@link polishUniverse}. */
export interface PolishUniverseOptions {
  /** Source of random numbers for the order of networks and blocks in each round. */
  readonly random: Random;
  /** Rounds over all networks and blocks after which polishing stops. */
  readonly maxRounds: number;
  /** Signal that stops polishing; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called after each round with the number of rounds made. */
  readonly onRound: (rounds: number) => void;
}

/** Result of polishing. */
export interface Polishing {
  /** Number of rounds made over all networks and blocks. */
  readonly rounds: number;
  /** Reason for the end: no block of a network can improve alone, or the rounds are used up. */
  readonly status: "converged" | "maxSweeps";
}

/** A block of one network. */
interface Place {
  readonly network: UniverseNetwork;
  readonly matcher: BlockMatcher;
}

/**
 * Improves the placements of all networks of a universe until no block of any network can improve alone:
 * matches block after block to the sum of the other networks.
 *
 * @see Ainsworth et al. 2023 (Git Re-Basin), algorithm 3 (MergeMany). Differs in: 1. it goes block by block
 *   instead of network by network, and only blocks whose costs have changed; 2. it ends when no block gains
 *   more than rounding, not when a norm changes by less than 1e-12.
 */
export async function polishUniverse(universe: Universe, options: PolishUniverseOptions): Promise<Polishing> {
  const places = universe.networks.flatMap((network) =>
    network.matchers.filter(({ held }) => !held).map((matcher): Place => ({ network, matcher })),
  );
  const open = new Set(places);
  universe.sumImages();
  for (const network of universe.networks) network.followCosts();
  let rounds = 0;
  while (rounds < options.maxRounds) {
    let moved = false;
    for (const index of options.random.shuffleInPlace(Int32Array.from(places.keys()))) {
      const place = at(places, index, "place");
      if (!open.delete(place)) continue;
      options.signal?.throwIfAborted();
      if (!(await improve(universe, place))) continue;
      moved = true;
      reopen(places, place, open);
    }
    options.onRound(++rounds);
    if (!moved && open.size === 0) return { rounds, status: "converged" };
  }
  return { rounds, status: "maxSweeps" };
}

/**
 * Moves a block of a network to the place in which it matches the other networks best; returns false if it is
 * there already.
 */
async function improve(universe: Universe, { network, matcher }: Place): Promise<boolean> {
  const { tensors } = matcher;
  universe.turnTo(network, tensors);
  const proposal = await network.propose(matcher);
  if (proposal.gain <= proposal.noise) return false;
  const before = choicesOf(matcher, network.placement);
  const risen = placeAndMeasure(universe, { network, matcher }, proposal);
  if (!matcher.coupled || risen > proposal.noise) return true;
  // The costs are only the slope of a quadratic function: the objective at the end of the step decides.
  universe.move(network, matcher, before);
  return false;
}

function choicesOf({ block }: BlockMatcher, placement: Placement): Map<number, Int32Array> {
  return new Map(block.members.map(({ index }) => [index, at(placement, index, "symmetry")]));
}

/** Moves a block, and returns how much the objective rises. */
function placeAndMeasure(
  universe: Universe,
  { network, matcher }: Place,
  { choices }: Pick<Proposal, "choices">,
): number {
  const measure = () => {
    let sum = 0;
    for (const name of matcher.tensors) {
      const relaxed = network.weights.get(name);
      if (relaxed !== undefined) sum += innerProduct(universe.others(name), relaxed.image);
    }
    return sum;
  };
  const before = matcher.coupled ? measure() : 0;
  universe.move(network, matcher, choices);
  return matcher.coupled ? measure() - before : 0;
}

/** Opens every block that shares a weight with one that has moved. */
function reopen(places: readonly Place[], moved: Place, open: Set<Place>): void {
  for (const place of places) {
    if (place === moved && !moved.matcher.coupled) continue;
    const { tensors } = place.matcher;
    if ([...moved.matcher.tensors].some((name) => tensors.has(name))) open.add(place);
  }
}
