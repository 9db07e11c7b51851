import { EngineError, resolveOptions, type Tensor } from "@isthmus/core";
import { type Engine, encodeGraph, type Graph, type LoadOptions, type Session } from "@isthmus/graph";
import type { InferenceSession } from "onnxruntime-node";
import { fillOutput } from "../fill-output.ts";
import { blockConvolutions } from "./block-convolutions.ts";
import { measureBlock } from "./measure-block.ts";
import type { Runtime, RuntimeSession } from "./runtime.ts";
import { fromOrtTensor, toOrtTensor } from "./runtime-tensors.ts";

const LOAD_DEFAULTS: Required<LoadOptions> = { threads: 0, optimize: true };

/** Creates the engine that runs graphs on a build of onnxruntime. */
export function createRuntimeEngine(runtime: Runtime): Engine {
  return { name: runtime.engine, load: (graph, options = {}) => load(runtime, graph, options) };
}

async function load(runtime: Runtime, graph: Graph, options: LoadOptions): Promise<Session> {
  const resolved = resolveOptions("load a graph", LOAD_DEFAULTS, options);
  let session: RuntimeSession;
  try {
    const prepared = resolved.optimize ? blockConvolutions(graph, await measureBlock(runtime)) : graph;
    session = await runtime.open(encodeGraph(prepared), resolved);
  } catch (cause) {
    throw new EngineError(
      `Cannot load graph "${graph.name}" into ${runtime.engine}: ${(cause as Error).message}`,
      { engine: runtime.engine, cause },
    );
  }
  return new OnnxRuntimeSession(runtime, graph, session);
}

class OnnxRuntimeSession implements Session {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #session: RuntimeSession;
  #isReleased = false;

  constructor(runtime: Runtime, graph: Graph, session: RuntimeSession) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#session = session;
  }

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    out: ReadonlyMap<string, Tensor> = new Map(),
  ): Promise<Map<string, Tensor>> {
    const inputs: Record<string, ReturnType<typeof toOrtTensor>> = {};
    for (const name of this.#session.inputNames) {
      const tensor = feeds.get(name);
      if (tensor === undefined) this.#fail(`it needs a tensor for input "${name}"`);
      inputs[name] = toOrtTensor(this.#runtime, name, tensor);
    }
    const fetches: Record<string, ReturnType<typeof toOrtTensor> | null> = {};
    for (const { name } of this.#graph.outputs) {
      const target = this.#runtime.fillsOutputs ? out.get(name) : undefined;
      fetches[name] = target === undefined ? null : toOrtTensor(this.#runtime, name, target);
    }
    return this.#collect(await this.#fetch(inputs, fetches), out);
  }

  async #fetch(
    inputs: InferenceSession.FeedsType,
    fetches: InferenceSession.NullableOnnxValueMapType,
  ): Promise<InferenceSession.ReturnType> {
    try {
      return await this.#session.run(inputs, fetches);
    } catch (cause) {
      const { engine } = this.#runtime;
      throw new EngineError(
        `Cannot run graph "${this.#graph.name}" on ${engine}: ${(cause as Error).message}`,
        { engine, cause },
      );
    }
  }

  #collect(results: InferenceSession.ReturnType, out: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name } of this.#graph.outputs) {
      const result = results[name];
      // A filled output comes back as another view; the caller's tensor holds it already.
      const filled = this.#runtime.fillsOutputs ? out.get(name) : undefined;
      if (filled !== undefined) tensors.set(name, filled);
      else if (result !== undefined) {
        const computed = fromOrtTensor(this.#runtime, name, result);
        tensors.set(
          name,
          fillOutput(name, computed, out.get(name), (reason) => this.#fail(reason)),
        );
      }
    }
    return tensors;
  }

  #fail(reason: string): never {
    const { engine } = this.#runtime;
    throw new EngineError(`Cannot run graph "${this.#graph.name}" as ${reason}`, { engine });
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#session.release();
  }
}
