import { at, type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";

/** Store of collected networks, so that a collection that resumes has all of them. */
export interface NetworkStore {
  /**
   * Stores a network, in place of an earlier one of the same index. The store must read all weights, and must
   * not depend on a signal.
   */
  save(index: number, network: Checkpoint): Promise<void>;
  /** Opens a stored network. */
  open(index: number): Promise<Checkpoint>;
}

/** Creates a store that keeps copies of the collected networks in memory rather than in files. */
export function createMemoryStore(): NetworkStore {
  const networks: Checkpoint[] = [];
  return {
    async save(index, network) {
      const tensors = new Map<string, Tensor>();
      for (const name of network.tensors.keys()) {
        const tensor = await network.read(name);
        // The data are copied, as training writes its next weights into the same arrays.
        tensors.set(name, { ...tensor, data: tensor.data.slice() });
      }
      networks[index] = createCheckpoint(tensors, network.metadata, network.source);
    },
    open: async (index) => at(networks, index, "collected network"),
  };
}
