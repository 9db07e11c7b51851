import { createRandom } from "@isthmus/core";
import type { CumulativeOrder, LayersResult } from "../layers-result.ts";
import type { ResolvedLayersOptions } from "./layers-options.ts";

/** A straight path on which some groups move, and the network to which the other groups belong. */
export interface Cut {
  /** Indices of the groups that move. */
  readonly moving: readonly number[];
  /** Network whose other groups stay, and from which the path starts. */
  readonly fixed: "a" | "b";
}

/** The share of B in each group of a network, `[groups]`. */
export type Shares = readonly number[];

/** All cuts that a measurement needs. */
export interface CutPlan {
  /** Cut on which all groups move. */
  readonly whole: Cut;
  /** Cuts on which one group moves, in the order of the groups: the others as in A, and as in B. */
  readonly layers: readonly { readonly a: Cut; readonly b: Cut }[];
  /** Cuts on which growing sets of groups move, by order; each step has the index of the added group. */
  readonly cumulative: readonly {
    readonly order: LayersResult["cumulative"][number]["order"];
    readonly steps: readonly { readonly added: number; readonly cut: Cut }[];
  }[];
}

/** Plans the cuts of `count` groups. */
export function planCuts(count: number, { orders, seed }: ResolvedLayersOptions): CutPlan {
  const all = Array.from({ length: count }, (_, group) => group);
  return {
    whole: { moving: all, fixed: "a" },
    layers: all.map((group) => ({ a: { moving: [group], fixed: "a" }, b: { moving: [group], fixed: "b" } })),
    cumulative: orders.map((order) => {
      const added = orderGroups(order, count, seed);
      const steps = added.map((group, step) => {
        const cut = { moving: added.slice(0, step + 1), fixed: "a" as const };
        return { added: group, cut };
      });
      return { order, steps };
    }),
  };
}

/** Lists all cuts of a plan, some of which may be equal. */
export function listCuts({ whole, layers, cumulative }: CutPlan): Cut[] {
  return [
    whole,
    ...layers.flatMap(({ a, b }) => [a, b]),
    ...cumulative.flatMap(({ steps }) => steps.map(({ cut }) => cut)),
  ];
}

/** Returns the evenly spaced places of a cut, from 0 to 1. */
export function placesOf(points: number): number[] {
  return Array.from({ length: points }, (_, index) => index / (points - 1));
}

/** Returns the shares of B in the network at a place of a cut, for `count` groups in all. */
export function sharesAt({ moving, fixed }: Cut, t: number, count: number): Shares {
  const moved = new Set(moving);
  const [fixedShare, movedShare] = fixed === "a" ? [0, t] : [1, 1 - t];
  return Array.from({ length: count }, (_, group) => (moved.has(group) ? movedShare : fixedShare));
}

/** Returns the key of a network in the journal; a network on two cuts has one key. */
export function keyOf(shares: Shares): string {
  return `at ${shares.join(" ")}`;
}

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
