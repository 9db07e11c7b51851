import type { Graph } from "./graph.ts";
import { valuesRead } from "./values.ts";

/** Returns some values of a graph, and all values that depend on their numbers. */
export function dependentValues({ nodes }: Graph, names: Iterable<string>): Set<string> {
  const dependent = new Set(names);
  for (const node of nodes) {
    if (!valuesRead(node).some((name) => dependent.has(name))) continue;
    for (const name of node.outputs) dependent.add(name);
  }
  return dependent;
}
