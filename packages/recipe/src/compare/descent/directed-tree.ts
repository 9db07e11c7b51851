import { at, entry } from "@isthmus/core";

/** An edge of a directed graph. */
interface Edge {
  readonly from: number;
  readonly to: number;
  readonly cost: number;
  /** Position in the list of all edges that were given. */
  readonly id: number;
}

/**
 * Finds the directed spanning tree of least total cost: every node but the root has one parent (Chu and Liu
 * 1965, Edmonds 1967). Takes O(n^3) for n nodes.
 *
 * Equal costs are settled by the order of nodes, so that the same table gives the same tree.
 * @param costs - `[nodes][nodes]`, the cost of an edge from a parent (row) to a child (column); infinite for
 *   edges that must not be taken. The diagonal is not read.
 * @param root - node without a parent
 * @returns the parent of each node, -1 for the root; null if some node cannot be reached from the root
 */
export function directedTree(costs: readonly (readonly number[])[], root: number): number[] | null {
  const count = costs.length;
  const edges: Edge[] = [];
  for (const [from, row] of costs.entries()) {
    for (const [to, cost] of row.entries()) {
      if (from === to || to === root || !Number.isFinite(cost)) continue;
      edges.push({ from, to, cost, id: edges.length });
    }
  }
  const chosen = chooseEdges(count, root, edges);
  if (chosen === null) return null;
  const parents = Array<number>(count).fill(-1);
  for (const id of chosen) {
    const { from, to } = at(edges, id, "edge");
    parents[to] = from;
  }
  return parents;
}

/** Returns the ids of the edges of the tree, by contracting cycles of cheapest edges until there are none. */
function chooseEdges(count: number, root: number, edges: readonly Edge[]): number[] | null {
  const cheapest = Array<Edge | undefined>(count).fill(undefined);
  for (const edge of edges) {
    const best = cheapest[edge.to];
    if (edge.from !== edge.to && (best === undefined || edge.cost < best.cost)) cheapest[edge.to] = edge;
  }
  if (cheapest.some((edge, node) => edge === undefined && node !== root)) return null;
  const cycle = findCycle(cheapest, root);
  const taken = cheapest.flatMap((edge, node) => (edge === undefined || node === root ? [] : [edge]));
  if (cycle === null) return taken.map(({ id }) => id);
  // The cycle becomes one node, the last; entering it replaces one of its edges.
  const names = renameNodes(count, cycle);
  const merged = count - cycle.size;
  const costs = new Map(taken.map(({ to, cost }) => [to, cost]));
  const next = edges.flatMap((edge): Edge[] => {
    const [from, to] = [at(names, edge.from, "node"), at(names, edge.to, "node")];
    if (from === to) return [];
    const saved = to === merged ? entry(costs, edge.to, "edge") : 0;
    return [{ from, to, cost: edge.cost - saved, id: edge.id }];
  });
  const inner = chooseEdges(merged + 1, at(names, root, "node"), next);
  if (inner === null) return null;
  const entered = edges.find(({ id, to }) => cycle.has(to) && inner.includes(id))?.to;
  return [...inner, ...taken.filter(({ to }) => cycle.has(to) && to !== entered).map(({ id }) => id)];
}

function renameNodes(count: number, cycle: ReadonlySet<number>): number[] {
  let next = 0;
  return Array.from({ length: count }, (_, node) => (cycle.has(node) ? count - cycle.size : next++));
}

/** Finds a cycle in which every node's cheapest edge comes from the node before. */
function findCycle(cheapest: readonly (Edge | undefined)[], root: number): ReadonlySet<number> | null {
  const walkOf = Array<number>(cheapest.length).fill(-1);
  for (const start of cheapest.keys()) {
    let node = start;
    while (node !== root && at(walkOf, node, "walk") < 0) {
      walkOf[node] = start;
      node = cheapest[node]?.from ?? root;
    }
    if (node === root || walkOf[node] !== start) continue;
    const cycle = new Set<number>();
    for (let one = node; !cycle.has(one); one = cheapest[one]?.from ?? root) cycle.add(one);
    return cycle;
  }
  return null;
}
