import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import { batchNorms } from "@isthmus/federated";
import type { Graph } from "@isthmus/graph";

/**
 * Checks that a network has batch norms to measure.
 * @throws UnsupportedError if the network has no batch norms
 */
export function assertNorms(graph: Graph, network: Checkpoint, net: string): void {
  if (batchNorms(graph, network).statistics.size > 0) return;
  throw new UnsupportedError(
    `Cannot measure batch norms as "measure.norms" asks as the network must have some: ${net} has none; leave "norms" out`,
    { feature: "measure.norms" },
  );
}
