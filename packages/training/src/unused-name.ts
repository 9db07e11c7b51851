import type { Graph } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";

/** The given name if no value of a typed graph has it, else the first of `name_1`, `name_2`, ... that none has. */
export function unusedName(graph: Graph, name: string): string {
  const types = typesOf(graph);
  if (!types.has(name)) return name;
  let count = 1;
  while (types.has(`${name}_${count}`)) count++;
  return `${name}_${count}`;
}
