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
  /**
   * Outputs that the next run takes, each with the input that takes it: an engine with a device of its own
   * keeps them there, see {@link DeviceMemory}; others return them like all outputs. @defaultValue none
   */
  readonly carried?: ReadonlyMap<string, string>;
  /**
   * Outputs that nothing but sessions of this engine takes: an engine with a device of its own leaves them
   * there, and does not write the tensors of `out` for them. Each of these tensors stands for what the last
   * run left until the session is released, and a session that is fed it takes that. Other engines write
   * them like all outputs. @defaultValue none
   */
  readonly staying?: ReadonlySet<string>;
}

/** A function that returns the graph that an engine would load for some work, and the options. */
export type WorkFor = (engine: Engine) => Promise<{ readonly graph: Graph; readonly options?: LoadOptions }>;

/**
 * Tensors of a session that lie in the memory of the engine's device, such as a graphics card. A run takes
 * from there each input that it is not fed.
 */
export interface DeviceMemory {
  /**
   * Copies tensors to the device, by the inputs that take them; a tensor that stands for what a session left
   * there, see `staying` of {@link LoadOptions}, is taken in each run from where it lies.
   * @throws EngineError if the device fails, for example because its memory is full
   */
  hold(tensors: ReadonlyMap<string, Tensor>): Promise<void>;
  /**
   * Copies tensors back from the device: for each input, the one that the next run would take.
   * @throws EngineError if the device fails, or holds no tensor for an input
   */
  readInto(tensors: ReadonlyMap<string, Tensor>): Promise<void>;
}

/** A graph that is ready to run. */
export interface Session {
  /**
   * Computes the outputs of the graph.
   *
   * @param feeds - a tensor for every data input and every weight of the graph, but for inputs that lie in
   *   `memory`
   * @param out - tensors to write outputs into, by name; other outputs are allocated
   * @throws EngineError if the engine fails, for example because shapes do not fit
   */
  run(feeds: ReadonlyMap<string, Tensor>, out?: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  /**
   * Memory of the engine's device; missing if it has none of its own. A run that is fed none of the inputs
   * that lie there copies none of them; carried outputs take their places, and are not returned.
   */
  readonly memory?: DeviceMemory;
  /** Frees the engine's memory; running the session afterwards fails. */
  release(): Promise<void>;
}

/** A port that runs graphs. Adapters are in `@isthmus/engine`; algorithms depend on this interface only. */
export interface Engine {
  /**
   * Name for messages and results: `onnxruntime` on the processor, `onnxruntime-webgpu` and the like on a
   * device. Bits of results are promised for processors only.
   */
  readonly name: string;
  /**
   * Whether sessions read feeds and write results where the given tensors are, in the memory of the process,
   * so that a tensor may be changed between runs without a copy. @defaultValue false
   */
  readonly sharesMemory?: boolean;
  /** Says something about a run to whoever uses the engine; missing if nobody listens. */
  readonly note?: ((text: string) => void) | undefined;
  /**
   * Makes a graph ready to run.
   * @throws EngineError if the engine refuses the graph
   */
  load(graph: Graph, options?: LoadOptions): Promise<Session>;
  /**
   * Returns the engine that does some work fastest, if the graph of the work is written in another way for
   * each engine; absent if the engine has no choice. Its name is that of the chosen engine once that has
   * loaded a graph.
   * @param workFor - returns the graph that an engine would load, and how
   * @throws EngineError if the device fails that would be chosen
   */
  readonly choose?: (workFor: WorkFor) => Promise<Engine>;
  /**
   * Makes a session that returns the outputs of `gradient(graph, { loss, withRespectTo })`, with gradients
   * from the engine's tape; absent if the engine has no tape.
   */
  readonly loadWithTape?: (
    graph: Graph,
    options: { readonly loss: string; readonly withRespectTo: readonly string[] },
  ) => Promise<Session>;
}
