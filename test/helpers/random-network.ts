import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { type Graph, randomWeights } from "@isthmus/graph";

/** Returns a network of a graph with random weights, called `network` and its seed. */
export function randomNetwork(graph: Graph, seed: number): Checkpoint {
  return createCheckpoint(randomWeights(graph, seed), {}, `network ${seed}`);
}
