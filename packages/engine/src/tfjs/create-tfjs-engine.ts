import { OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { Engine, LoadOptions } from "@isthmus/graph";
import { createTapeSession } from "./create-tape-session.ts";
import { createTfjsSession } from "./create-tfjs-session.ts";
import { loadTfjs } from "./load-tfjs.ts";
import { TFJS_BACKENDS, type TfjsBackend } from "./tfjs-backend.ts";

/** Options of {@link createTfjsEngine}. */
export interface TfjsEngineOptions {
  /** Backend to compute on. @defaultValue the fastest that is installed */
  readonly backend?: TfjsBackend;
}

const LOAD_DEFAULTS: Required<LoadOptions> = { threads: 0, optimize: true };

/**
 * Creates an engine that computes graphs with TensorFlow.js, on the first of these that is installed:
 * `@tensorflow/tfjs-node-gpu`, `@tensorflow/tfjs-node`, `@tensorflow/tfjs` with
 * `@tensorflow/tfjs-backend-wasm`, and `@tensorflow/tfjs` alone. The engine is named after it:
 * `tfjs-node-gpu`, `tfjs-node`, `tfjs-wasm` or `tfjs-cpu`.
 *
 * It computes in f32, 32-bit integers and truth values; 64-bit integers are cut to 32 bits, other floats are
 * refused. The backend decides on threads and optimisation. `loadWithTape` computes gradients by its tape.
 *
 * @throws UnsupportedError if no package of TensorFlow.js is installed; it names the package to add
 * @throws EngineError if the installed package does not start
 * @throws OutOfRangeError if there is no backend of that name
 */
export async function createTfjsEngine(options: TfjsEngineOptions = {}): Promise<Engine> {
  const { backend } = options;
  if (backend !== undefined && !TFJS_BACKENDS.includes(backend)) {
    throw new OutOfRangeError(
      `Cannot create a TensorFlow.js engine as the backend must be one of ${TFJS_BACKENDS.join(", ")}: got "${backend}"`,
    );
  }
  const loaded = await loadTfjs(backend);
  const name = `tfjs-${loaded.backend}`;
  return {
    name,
    load: async (graph, loadOptions = {}) => {
      resolveOptions("load a graph", LOAD_DEFAULTS, loadOptions);
      return createTfjsSession(graph, loaded);
    },
    loadWithTape: async (graph, { loss, withRespectTo }) =>
      createTapeSession(graph, loaded, { loss, withRespectTo }),
  };
}
