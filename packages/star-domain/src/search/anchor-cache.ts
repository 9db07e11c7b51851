import { byteLengthOf, type Checkpoint, type Tensor } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";

/** Weights of anchors, read when they are asked for. */
export interface AnchorCache {
  /** The weights of an anchor by its number. */
  read(anchor: number): Promise<ReadonlyMap<string, Tensor>>;
  /** Reads from other checkpoints from now on: the same anchors, aligned anew. */
  replace(anchors: readonly Checkpoint[]): void;
}

/**
 * Makes a cache that holds the anchors asked for last, as many as fit `memory` bytes and at least one.
 */
export function createAnchorCache(graph: Graph, anchors: readonly Checkpoint[], memory: number): AnchorCache {
  const bytes = [...graph.weights.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
  const room = Math.max(1, Math.floor(memory / bytes));
  // A map lists its entries in the order they were set: the first is the one not asked for for longest.
  const held = new Map<number, ReadonlyMap<string, Tensor>>();
  let sources = anchors;
  return {
    async read(anchor) {
      const source = sources[anchor];
      if (source === undefined) {
        throw new RangeError(`Cannot read anchor ${anchor} as there are ${sources.length}`);
      }
      const weights = held.get(anchor) ?? (await bindWeights(graph, source));
      held.delete(anchor);
      if (held.size === room) held.delete(held.keys().next().value ?? 0);
      held.set(anchor, weights);
      return weights;
    },
    replace(others) {
      sources = others;
      held.clear();
    },
  };
}
