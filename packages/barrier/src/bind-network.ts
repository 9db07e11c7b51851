import { assertFiniteTensors, type Checkpoint, createCheckpoint } from "@isthmus/core";
import { assertNetwork, bindWeights, type Graph } from "@isthmus/graph";

/**
 * Reads the weights of a graph from a checkpoint into memory, in the graph's element types.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if a weight is NaN or infinite; the tensor is named
 */
export async function bindNetwork(graph: Graph, checkpoint: Checkpoint): Promise<Checkpoint> {
  assertNetwork(graph, checkpoint);
  const network = createCheckpoint(await bindWeights(graph, checkpoint), {}, checkpoint.source);
  await assertFiniteTensors("measure networks with the weights", network);
  return network;
}
