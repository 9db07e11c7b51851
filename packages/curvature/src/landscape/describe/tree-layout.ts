import { at } from "@isthmus/core";
import { formatNumber, type MergeTreePlot, type PersistenceBar, type TreeBranch } from "@isthmus/findings";
import type { MergeTree } from "../topology/merge-tree-result.ts";

/**
 * Lays out a merge tree so that branches do not cross: the branches that a saddle joins stand beside each
 * other, branches of several minima on the left, and the saddle over their middle.
 */
export function layOutTree({ minima, saddles, range }: MergeTree): Omit<MergeTreePlot, "kind" | "axis"> {
  const lowest = Math.min(...minima.map(({ value }) => value));
  const leavesOf = (index: number) => minima.flatMap(({ saddle }, leaf) => (saddle === index ? [leaf] : []));
  const partsOf = (index: number) => saddles.flatMap(({ parent }, k) => (parent === index ? [k] : []));
  const branches: TreeBranch[] = [];
  const joins: MergeTreePlot["joins"][number][] = [];
  let next = 0;
  const top = lowest + range;
  const heightOf = (saddle: number | undefined) =>
    saddle === undefined ? top : at(saddles, saddle, "saddle").value;
  const placeLeaf = (leaf: number): number => {
    const { value, saddle, persistence } = at(minima, leaf, "minimum");
    const title = `minimum ${formatNumber(value)}, persistence ${formatNumber(persistence)}`;
    branches.push({ x: next, from: value, to: heightOf(saddle), kind: "minimum", title });
    return next++;
  };
  const placeSaddle = (index: number): number => {
    const parts = partsOf(index).map((part) => placeSaddle(part));
    const places = [...parts, ...leavesOf(index).map(placeLeaf)];
    const [left, right] = [Math.min(...places), Math.max(...places)];
    const { value, parent } = at(saddles, index, "saddle");
    joins.push({ left, right, y: value });
    const x = (left + right) / 2;
    branches.push({
      x,
      from: value,
      to: heightOf(parent),
      kind: "saddle",
      title: `saddle ${formatNumber(value)}`,
    });
    return x;
  };
  for (const [index, { parent }] of saddles.entries()) if (parent === undefined) placeSaddle(index);
  for (const [leaf, { saddle }] of minima.entries()) if (saddle === undefined) placeLeaf(leaf);
  return { branches, joins, minima: minima.length };
}

/** Lists the bars of a barcode, the longest first. */
export function barsOf({ minima }: MergeTree): PersistenceBar[] {
  return minima
    .map(({ value, persistence, merge }, index) => ({
      name: String(index + 1),
      from: value,
      to: value + persistence,
      endless: merge === undefined,
    }))
    .sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from);
}
