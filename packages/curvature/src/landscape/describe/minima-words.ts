import { formatCount, formatCounted } from "@isthmus/findings";
import { isOnEdge } from "../topology/grid-neighbors.ts";
import type { MergeTree } from "../topology/merge-tree-result.ts";

/**
 * Counts minima inside and on the edge of a grid, from their places: results of earlier versions do not
 * record which minima are on the edge.
 */
export function countMinima({ minima, shape }: MergeTree): {
  readonly inside: number;
  readonly onEdge: number;
} {
  const onEdge = minima.filter(({ index }) => isOnEdge(index, shape)).length;
  return { inside: minima.length - onEdge, onEdge };
}

/** Says in a few words how many minima of a grid are inside, and how many on its edge. */
export function minimaWords(tree: MergeTree): string {
  const { inside, onEdge } = countMinima(tree);
  const edge = onEdge === 0 ? "" : `, ${formatCount(onEdge)} on the edge, where the loss may fall further`;
  return `${formatCounted(inside, "minimum", "minima")} inside${edge}`;
}
