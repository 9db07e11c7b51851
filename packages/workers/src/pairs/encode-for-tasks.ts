import { InvariantError } from "@isthmus/core";
import { decodeGraph, encodeGraph, type Graph } from "@isthmus/graph";

/**
 * Encodes a graph for tasks that read it again on another machine.
 * @throws InvariantError if the bytes do not give the same graph when they are read
 */
export function encodeForTasks(graph: Graph): Uint8Array {
  const bytes = encodeGraph(graph);
  const read = decodeGraph(bytes, { inputs: graph.inputs.map(({ name }) => name) }).graph;
  const summary = ({ inputs, weights }: Graph) =>
    JSON.stringify([
      inputs.map(({ name }) => name),
      [...weights].map(([name, { dtype, shape, role }]) => [name, dtype, shape, role]),
    ]);
  if (summary(read) === summary(graph)) return bytes;
  throw new InvariantError(`"${graph.name}" is the same graph once it was written and read`);
}
