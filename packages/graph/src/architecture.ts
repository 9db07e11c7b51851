import type { Engine } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";

/** Architecture of networks: their graph, and the engine that runs it. */
export interface Architecture {
  /** Graph whose weights are inputs; a network is a checkpoint with these weights. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /**
   * Makes a small graph of the same structure. If a network is too large to be run, its symmetries are proved
   * on this graph; only graphs that are built from a config have it.
   */
  readonly narrow?: (() => Graph) | undefined;
  /**
   * Makes the graph of the same weights for smaller examples, such as images of fewer pixels. Proofs run it
   * in place of the graph itself, as they compare every value; absent if examples are small already.
   */
  readonly shrink?: (() => Graph) | undefined;
  /**
   * Pattern of names of tensors of other parts of a model, such as its tower of images, that do not change
   * in every network. @defaultValue the graph is that of the whole model
   */
  readonly otherParts?: RegExp | undefined;
}
