import type { Engine } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";

/** The architecture of networks: the graph that computes what they compute, and the engine that runs it. */
export interface Architecture {
  /** Its weights are inputs; a network is a checkpoint that has them. */
  readonly graph: Graph;
  readonly engine: Engine;
  /**
   * Makes a small graph of the same structure. Of a network that is too large to be run, symmetries are
   * proved on it; only graphs
   * that are built from a config have it.
   */
  readonly narrow?: (() => Graph) | undefined;
}
