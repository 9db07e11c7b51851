import type { DataSet, Graph } from "@isthmus/graph";

/**
 * Extents of the graph's symbolic dimensions other than the batch, such as a sequence's length, as the examples of a data set
 * have them.
 */
export function dataExtents(graph: Graph, data: DataSet): Record<string, number> {
  const [, ...extents] = graph.inputs[0]?.shape ?? [];
  const entries = extents.flatMap((extent, axis) => {
    const given = data.exampleShape[axis];
    return typeof extent === "string" && given !== undefined ? [[extent, given] as const] : [];
  });
  return Object.fromEntries(entries);
}
