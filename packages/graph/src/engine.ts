import type { Tensor } from "@isthmus/core";
import type { Graph } from "./ir/graph.ts";

/** Options of {@link Engine.load}. */
export interface LoadOptions {
  /** Number of threads inside one run; 0 lets the engine choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Whether the engine may rewrite the graph; if not, every value is computed as written. @defaultValue true
   */
  readonly optimize?: boolean;
}

/** A graph that is ready to run. */
export interface Session {
  /**
   * Computes the outputs of the graph.
   *
   * @param feeds - a tensor for every data input and every weight of the graph
   * @param out - tensors to write outputs into, by name; other outputs are allocated
   * @throws EngineError if the engine fails, for example because shapes do not fit
   */
  run(feeds: ReadonlyMap<string, Tensor>, out?: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  /** Frees the engine's memory; running the session afterwards fails. */
  release(): Promise<void>;
}

/** A port that runs graphs. Adapters are in `@isthmus/engine`; algorithms depend on this interface only. */
export interface Engine {
  /** Name for messages and results, for example `onnxruntime`. */
  readonly name: string;
  /**
   * Whether sessions read feeds and write results where the given tensors are, in the memory of the process,
   * so that a tensor may be changed between runs without a copy. @defaultValue false
   */
  readonly sharesMemory?: boolean;
  /**
   * Makes a graph ready to run.
   * @throws EngineError if the engine refuses the graph
   */
  load(graph: Graph, options?: LoadOptions): Promise<Session>;
  /**
   * Makes a session that returns the outputs of `gradient(graph, { loss, withRespectTo })`, with gradients
   * from the engine's tape; absent if the engine has no tape.
   */
  readonly loadWithTape?: (
    graph: Graph,
    options: { readonly loss: string; readonly withRespectTo: readonly string[] },
  ) => Promise<Session>;
}
