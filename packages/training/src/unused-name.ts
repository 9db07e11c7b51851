import type { Graph } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";

/**
 * Returns `name` if no value of the typed graph is called so, else the first unused one of `name_1`,
 * `name_2`, ...
 */
export function unusedName(graph: Graph, name: string): string {
  const types = typesOf(graph);
  if (!types.has(name)) return name;
  let count = 1;
  while (types.has(`${name}_${count}`)) count++;
  return `${name}_${count}`;
}
