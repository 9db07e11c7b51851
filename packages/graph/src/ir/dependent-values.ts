import type { Graph } from "./graph.ts";
import { valuesRead } from "./values.ts";

/** Lists the values that depend on the numbers of others, and these. */
export function dependentValues({ nodes }: Graph, names: Iterable<string>): Set<string> {
  const dependent = new Set(names);
  for (const node of nodes) {
    if (!valuesRead(node).some((name) => dependent.has(name))) continue;
    for (const name of node.outputs) dependent.add(name);
  }
  return dependent;
}
