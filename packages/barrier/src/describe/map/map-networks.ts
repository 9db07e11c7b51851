import { at, UsageError } from "@isthmus/core";
import { distinctNamesOfFiles, type TreeBracket } from "@isthmus/findings";
import type { MapResult, MapStage } from "../../map-result.ts";

/** States of alignment, in the order of figures and tables. */
export const MAP_STAGES = [
  { key: "before", name: "As trained" },
  { key: "after", name: "Aligned" },
] as const;

/** Makes short, distinct names of the networks of a map. */
export function mapNames({ networks }: MapResult): string[] {
  return distinctNamesOfFiles(networks.map(({ source }) => source));
}

/**
 * Returns the networks in the order in which both maps show them, so that they can be compared: the order of
 * the tree after alignment, which separates networks even if all barriers before are alike.
 */
export function orderOf({ after }: MapResult): readonly number[] {
  return after.tree.order;
}

/** Arranges one number of each pair of a stage as a symmetric table, null on its diagonal. */
export function squareInOrder(
  { pairs }: MapStage,
  order: readonly number[],
  numberOf: (pair: MapStage["pairs"][number]) => number,
): (number | null)[][] {
  return order.map((i) =>
    order.map((j) => {
      const pair = pairs.find(({ a, b }) => (a === i && b === j) || (a === j && b === i));
      return pair === undefined ? null : numberOf(pair);
    }),
  );
}

/**
 * Lays out the tree of a stage over networks in an order; returns none if branches would cross each other in
 * that order.
 */
export function bracketsOf({ tree: { joins } }: MapStage, order: readonly number[]): TreeBracket[] {
  if (crosses(joins, order)) return [];
  const tallest = Math.max(0, ...joins.map(({ height }) => height));
  const branches = order.map((_, network) => ({ place: order.indexOf(network), height: 0 }));
  return joins.map(({ a, b, height: joined }) => {
    const [one, two] = [at(branches, a, "branch"), at(branches, b, "branch")];
    const height = tallest === 0 ? 0 : joined / tallest;
    branches.push({ place: (one.place + two.place) / 2, height });
    const [left, right] = one.place < two.place ? [one, two] : [two, one];
    return {
      left: left.place,
      right: right.place,
      leftHeight: left.height,
      rightHeight: right.height,
      height,
    };
  });
}

/** Checks whether other networks lie between joined ones in the order. */
function crosses(joins: MapStage["tree"]["joins"], order: readonly number[]): boolean {
  const ranges = order.map((_, network) => {
    const place = order.indexOf(network);
    return { first: place, last: place, size: 1 };
  });
  for (const { a, b } of joins) {
    const [one, two] = [at(ranges, a, "branch"), at(ranges, b, "branch")];
    ranges.push({
      first: Math.min(one.first, two.first),
      last: Math.max(one.last, two.last),
      size: one.size + two.size,
    });
  }
  return ranges.some(({ first, last, size }) => last - first + 1 !== size);
}

/** Computes the mean barrier of all pairs of a stage, in nats. */
export function meanBarrier({ pairs }: MapStage): number {
  return pairs.reduce((sum, { loss }) => sum + loss, 0) / pairs.length;
}

/** Computes the number of pairs of networks. */
export const pairsOf = (networks: number): number => (networks * (networks - 1)) / 2;

/**
 * Checks that the parts of a map belong together.
 * @throws UsageError if there are fewer than two networks, or a part has another number of networks
 */
export function assertMap({ networks, before, after }: MapResult): void {
  const n = networks.length;
  const fail = (rule: string, value: unknown) =>
    new UsageError(`Cannot draw a map as ${rule}: got ${JSON.stringify(value)}`);
  if (n < 2) throw fail("it must have at least two networks", n);
  for (const { pairs, mean, tree, places } of [before, after]) {
    const expected = Array.from({ length: n }, (_, i) => i);
    const named = pairs.map(({ a, b }) => `${a} ${b}`);
    const all = expected.flatMap((a) => expected.slice(a + 1).map((b) => `${a} ${b}`));
    if (named.join() !== all.join())
      throw fail(`its pairs must be all of ${n} networks, in order`, named.length);
    if (tree.order.toSorted((x, y) => x - y).join() !== expected.join()) {
      throw fail(`the order must name each of ${n} networks once`, tree.order);
    }
    const joined = tree.joins.flatMap(({ a, b }) => [a, b]);
    const isTree =
      joined.toSorted((x, y) => x - y).every((branch, i) => branch === i) &&
      tree.joins.every(({ a, b }, k) => a < n + k && b < n + k);
    if (tree.joins.length !== n - 1 || !isTree)
      throw fail(`${n} networks must be joined to a tree`, tree.joins);
    if (places.networks.length !== n || mean.distances.length !== n) {
      throw fail(
        `each of ${n} networks must have a place and a distance from the mean`,
        places.networks.length,
      );
    }
  }
}
