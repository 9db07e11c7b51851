import type { Graph } from "@isthmus/graph";
import { pruneNodes, valuesRead } from "@isthmus/graph/ir";
import { findRoot, joinSets, singletons } from "../kernels/disjoint-sets.ts";
import type { Labelled } from "./field.ts";
import type { LabelStore } from "./label-store.ts";
import type { LabelledWeight } from "./label-weight.ts";

/** The labels on the values of a graph. */
interface Labels {
  readonly store: LabelStore;
  readonly weights: ReadonlyMap<string, LabelledWeight>;
  readonly values: ReadonlyMap<string, Labelled>;
}

/**
 * Finds the labels on outputs that do not count, if no output that counts depends on them, such as the
 * classes of a second head: permuting them would gain nothing, and spoil the output for its readers.
 */
export function findUncounted(graph: Graph, { store, weights, values }: Labels): Int32Array[] {
  const { uncounted = [] } = graph;
  if (uncounted.length === 0) return [];
  const sets = singletons(store.count);
  for (const { child, parent } of store.functions) {
    child.forEach((label, i) => {
      joinSets(sets, store.classOf(label), store.classOf(parent[i] as number));
    });
  }
  const rootOf = (label: number): number => findRoot(sets, store.classOf(label));
  const { nodes } = pruneNodes({ ...graph, uncounted: [] });
  const read = new Set(nodes.flatMap(valuesRead));
  const counting = new Set(
    [...weights].flatMap(([name, { fields }]) =>
      read.has(name) ? fields.flatMap(({ labels }) => Array.from(labels, rootOf)) : [],
    ),
  );
  return uncounted.flatMap((name) =>
    (values.get(name)?.fields ?? []).flatMap(({ frozen, data }) =>
      frozen ? [] : [data.filter((label) => !counting.has(rootOf(label)))],
    ),
  );
}
