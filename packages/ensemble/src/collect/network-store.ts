import { at, type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";

/** Where collected networks are kept, so that a collection that resumes has all of them. */
export interface NetworkStore {
  /**
   * Keeps a network; one of the same index is replaced. It must not depend on a signal, and read all weights.
   */
  save(index: number, network: Checkpoint): Promise<void>;
  /** Opens a network that was kept. */
  open(index: number): Promise<Checkpoint>;
}

/** Creates a store in memory. */
export function createMemoryStore(): NetworkStore {
  const networks: Checkpoint[] = [];
  return {
    async save(index, network) {
      const tensors = new Map<string, Tensor>();
      for (const name of network.tensors.keys()) {
        const tensor = await network.read(name);
        // Training writes its next weights into the same arrays.
        tensors.set(name, { ...tensor, data: tensor.data.slice() });
      }
      networks[index] = createCheckpoint(tensors, network.metadata, network.source);
    },
    open: async (index) => at(networks, index, "collected network"),
  };
}
