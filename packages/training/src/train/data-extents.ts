import { type DataSet, type Graph, planFeeds } from "@isthmus/graph";

/**
 * Extents of the graph's symbolic dimensions other than the batch, such as a sequence's length, as the examples of a data set
 * have them.
 * @throws InputError if the data do not fit the graph
 */
export function dataExtents(graph: Graph, data: DataSet): Readonly<Record<string, number>> {
  return planFeeds("train", graph, data, 1).extents;
}
