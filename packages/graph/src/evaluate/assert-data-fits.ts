import type { DataSet } from "../data-set.ts";
import { planFeeds } from "../feeding/plan-feeds.ts";
import type { Graph } from "../ir/graph.ts";

/**
 * Checks that a graph can be run on a data set in batches.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if there are no examples, no array for an input of the graph, or the examples do not fit
 *   the graph
 * @throws OutOfRangeError if `batchSize` is not a whole number of at least 1
 */
export function assertDataFits(attempt: string, graph: Graph, data: DataSet, batchSize: number): void {
  planFeeds(attempt, graph, data, batchSize);
}
