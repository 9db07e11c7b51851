import { OutOfRangeError } from "@isthmus/core";
import type { Graph } from "./graph.ts";

/**
 * Returns the graph with further values as outputs, after its outputs.
 * @throws OutOfRangeError if a name is neither a node's output nor an output already
 */
export function exposeValues(graph: Graph, names: readonly string[]): Graph {
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const present = new Set(graph.outputs.map(({ name }) => name));
  const added: { name: string }[] = [];
  for (const name of names) {
    if (present.has(name)) continue;
    if (name === "" || !computed.has(name)) {
      throw new OutOfRangeError(
        `Cannot expose value "${name}" as no node of graph "${graph.name}" computes it`,
      );
    }
    present.add(name);
    added.push({ name });
  }
  return { ...graph, outputs: [...graph.outputs, ...added] };
}
