import { byteLengthOf, type Checkpoint, OutOfRangeError, type Tensor } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";

/** Cache of the weights of anchors, which are read when they are needed. */
export interface AnchorCache {
  /** Returns the weights of an anchor by its index. */
  read(anchor: number): Promise<ReadonlyMap<string, Tensor>>;
  /** Replaces the checkpoints that are read, by the same anchors in a new alignment. */
  replace(anchors: readonly Checkpoint[]): void;
}

/** Creates a cache that holds the anchors read last, as many as fit into `memory` bytes and at least one. */
export function createAnchorCache(graph: Graph, anchors: readonly Checkpoint[], memory: number): AnchorCache {
  const bytes = [...graph.weights.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
  const room = Math.max(1, Math.floor(memory / bytes));
  // A map lists its entries in the order they were set: the first one is the least recently used anchor.
  const held = new Map<number, ReadonlyMap<string, Tensor>>();
  let sources = anchors;
  return {
    async read(anchor) {
      const source = sources[anchor];
      if (source === undefined) {
        throw new OutOfRangeError(`Cannot read anchor ${anchor} as there are ${sources.length}`);
      }
      const weights = held.get(anchor) ?? (await bindWeights(graph, source));
      held.delete(anchor);
      const [oldest] = held.keys();
      if (held.size === room && oldest !== undefined) held.delete(oldest);
      held.set(anchor, weights);
      return weights;
    },
    replace(others) {
      sources = others;
      held.clear();
    },
  };
}
