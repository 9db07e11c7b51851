import { at, sumOf } from "@isthmus/core";
import type { NetworkComparison, PairComparison } from "../comparison.ts";
import { judgePair } from "../judge-pair.ts";
import { directedTree } from "./directed-tree.ts";
import type { FamilyTrees } from "./family-trees.ts";

/**
 * Price of a direction that all signs speak against, in units of the mean distance within the family. It
 * decides between directions, and hardly ever which networks are joined: 0.3, as in MoTHer, joined more
 * wrong ones.
 */
const PRICE = 0.05;
/**
 * Price of a step back towards the base, in units of its length. A child's step leads away from the base,
 * while a sibling in the place of the parent has taken a step of its own, which must be undone.
 */
const BACK = 0.1;
/**
 * Weight of a network's mean distance to all others when the root is chosen, beside the directions of all
 * edges: children of one base are nearer to it than to each other.
 */
const CENTRAL = 0.3;
/** Fewest networks of a family whose tree is drawn. */
const LEAST = 2;

/**
 * Traces which of the compared networks was trained from which: a directed spanning tree of least cost for
 * each family of relatives. An edge costs the distance of its two networks, and more the more signs speak
 * against its direction.
 *
 * The sign is that matrices have more outliers (kurtosis) in the child than in the parent. MoTHer
 * (Horwitz, Shul and Hoshen, Unsupervised model tree heritage recovery, 2025, section 4) sums kurtosis
 * over square matrices, and takes fewer outliers for the sign of a child that was specialised, more for a
 * child that was trained on: the stage must be known. Here each matrix has a vote, more outliers are the
 * sign, and a root that is near to all others is preferred. How often that is right, and when it is not,
 * is measured in docs/verdicts.md.
 *
 * A base that was named is the root of its family, and an edge whose step leads back towards it costs more.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createRandom, createTensor } from "@isthmus/core";
 * import { compareNetworks, traceDescent } from "@isthmus/recipe";
 *
 * const random = createRandom(0);
 * const start = Float32Array.from({ length: 400 }, () => random.normal());
 * const network = (change: number) => {
 *   const data = start.map((x, i) => (i % 25 === 3 ? x * (1 + change) : x)); // a few weights grow
 *   return createCheckpoint({ w: createTensor("f32", [20, 20], data) });
 * };
 * const { parents } = traceDescent(await compareNetworks([network(2), network(0), network(1)]));
 * assert.deepEqual(parents, [2, null, 1]);
 * ```
 */
export function traceDescent(comparison: NetworkComparison): FamilyTrees {
  const { networks, pairs, base } = comparison;
  const parents = Array<number | null>(networks.length).fill(null);
  const support = [...parents];
  const distances = [...parents];
  for (const family of listFamilies(networks.length, pairs)) {
    if (family.length < LEAST) continue;
    const edges = edgesOf(family, pairs);
    const tree = rootedTree(edges, base === null ? -1 : family.indexOf(base));
    for (const [i, parent] of tree.entries()) {
      if (parent < 0) continue;
      const [child, edge] = [at(family, i, "network"), at(at(edges, parent, "row"), i, "edge")];
      parents[child] = at(family, parent, "network");
      support[child] = edge.support;
      distances[child] = edge.distance;
    }
  }
  return { parents, support, distances, rooted: base !== null };
}

/** An edge from a possible parent to a possible child. */
interface PossibleEdge {
  /** Distance of both networks, in units of the geometric mean of their norms. */
  readonly distance: number;
  /**
   * Norm of the difference of both networks over matrices, which can be compared among the pairs of a family:
   * biases and scales of norms take long steps that tell less of who descends from whom.
   */
  readonly length: number;
  readonly support: number;
}

function edgesOf(family: readonly number[], pairs: readonly PairComparison[]): PossibleEdge[][] {
  const none = { distance: 0, length: Number.POSITIVE_INFINITY, support: 0.5 };
  const edges = family.map(() => family.map((): PossibleEdge => none));
  for (const { a, b, distance, norms, growth } of pairs) {
    const [i, j] = [family.indexOf(a), family.indexOf(b)];
    if (i < 0 || j < 0 || distance === null) continue;
    const length = growth?.length ?? distance * Math.sqrt(norms[0] * norms[1]);
    const towardsB = growth?.kurtosis ?? 0.5;
    at(edges, i, "row")[j] = { distance, length, support: towardsB };
    at(edges, j, "row")[i] = { distance, length, support: 1 - towardsB };
  }
  return edges;
}

/** Finds the cheapest tree from a root, or from whichever root is best if it is -1. */
function rootedTree(edges: readonly (readonly PossibleEdge[])[], root: number): readonly number[] {
  const lengthsOf = (row: readonly PossibleEdge[]) =>
    row.flatMap(({ length }) => (Number.isFinite(length) ? [length] : []));
  const price = PRICE * meanOf(edges.flatMap(lengthsOf));
  const costs = edges.map((row) => row.map(({ length, support }) => length + price * (1 - support)));
  if (root >= 0) return directedTree(addStepsBack(costs, edges, root), root) ?? costs.map(() => -1);
  // A root of its own, from which each network is reached at a cost above all others: it is paid once.
  const away = sumOf(costs.flat().filter(Number.isFinite));
  const central = PRICE * CENTRAL * (edges.length - 1);
  const count = edges.length;
  const last = [...edges.map((row) => away + central * meanOf(lengthsOf(row))), away];
  const all = [...costs.map((row) => [...row, away]), last];
  return (directedTree(all, count) ?? []).slice(0, count).map((parent) => (parent === count ? -1 : parent));
}

/** Adds the price of the part of each step that leads back towards the base. */
function addStepsBack(
  costs: readonly (readonly number[])[],
  edges: readonly (readonly PossibleEdge[])[],
  root: number,
): number[][] {
  const fromBase = at(edges, root, "base").map(({ length }) => length);
  return costs.map((row, parent) =>
    row.map((cost, child) => {
      const before = at(fromBase, parent, "network");
      const step = at(at(edges, parent, "row"), child, "edge").length;
      const forward = (at(fromBase, child, "network") ** 2 - before ** 2 - step ** 2) / 2;
      // A network that equals the base has taken no step that could be undone.
      const back = parent === root || before === 0 ? 0 : Math.max(0, -forward) / before;
      return Number.isFinite(back) ? cost + BACK * back : cost;
    }),
  );
}

const meanOf = (numbers: readonly number[]) => sumOf(numbers) / Math.max(1, numbers.length);

/** Lists the families: networks that are relatives or equal, directly or through others. */
function listFamilies(count: number, pairs: readonly PairComparison[]): number[][] {
  const familyOf = Array.from({ length: count }, (_, i) => i);
  for (const pair of pairs) {
    const { verdict } = judgePair(pair);
    if (verdict !== "same ancestor" && verdict !== "identical") continue;
    const [one, two] = [at(familyOf, pair.a, "network"), at(familyOf, pair.b, "network")];
    for (const [i, family] of familyOf.entries()) if (family === two) familyOf[i] = one;
  }
  return [...new Set(familyOf)].map((family) => [...familyOf.keys()].filter((i) => familyOf[i] === family));
}
