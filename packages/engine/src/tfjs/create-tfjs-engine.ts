import { resolveOptions } from "@isthmus/core";
import type { Engine, LoadOptions } from "@isthmus/graph";
import { createTapeSession } from "./create-tape-session.ts";
import { createTfjsSession } from "./create-tfjs-session.ts";
import { loadTfjs } from "./load-tfjs.ts";
import { TFJS_BACKENDS, type TfjsBackend } from "./tfjs-backend.ts";

/** Options of {@link createTfjsEngine}. */
export interface TfjsEngineOptions {
  /** Where to compute. @defaultValue the fastest that is installed */
  readonly backend?: TfjsBackend;
}

const LOAD_DEFAULTS: Required<LoadOptions> = { threads: 0, optimize: true };

/**
 * Returns an engine that computes graphs with TensorFlow.js, on what is installed of `@tensorflow/tfjs-node-gpu`,
 * `@tensorflow/tfjs-node`, `@tensorflow/tfjs` with `@tensorflow/tfjs-backend-wasm`, and `@tensorflow/tfjs` alone, in this
 * order. Its name says which: `tfjs-node-gpu`, `tfjs-node`, `tfjs-wasm` or `tfjs-cpu`.
 *
 * It computes in f32, 32-bit integers and truth values; 64-bit integers are cut to 32 bits, other floats are refused.
 * Threads and optimisation are the backend's own affair. Gradients can be taken from its tape, with `loadWithTape`.
 *
 * @throws UnsupportedError if no package of TensorFlow.js is installed; it names the package to add
 * @throws EngineError if what is installed does not start
 * @throws RangeError if there is no backend of that name
 */
export async function createTfjsEngine(options: TfjsEngineOptions = {}): Promise<Engine> {
  const { backend } = options;
  if (backend !== undefined && !TFJS_BACKENDS.includes(backend)) {
    throw new RangeError(
      `Cannot create a TensorFlow.js engine as the backend must be one of ${TFJS_BACKENDS.join(", ")}: got "${backend}"`,
    );
  }
  const loaded = await loadTfjs(backend);
  const name = `tfjs-${loaded.backend}`;
  return {
    name,
    load: async (graph, given = {}) => {
      resolveOptions("load a graph", LOAD_DEFAULTS, given);
      return createTfjsSession(graph, loaded);
    },
    loadWithTape: async (graph, { loss, withRespectTo }) =>
      createTapeSession(graph, loaded, { loss, withRespectTo }),
  };
}
