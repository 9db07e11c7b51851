import {
  at,
  DTYPES,
  entry,
  formatShape,
  MismatchError,
  OutOfRangeError,
  resolveOptions,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import type { Engine, Graph, LoadOptions, Session } from "@isthmus/graph";
import { gradientName, typesOf } from "@isthmus/graph/ir";
import { GraphOnTfjs } from "./graph-on-tfjs.ts";
import { type LoadedTfjs, loadTfjs } from "./load-tfjs.ts";
import { detach, runNodes } from "./run-nodes.ts";
import type { TfValue } from "./tensors.ts";
import { TFJS_BACKENDS, type TfjsBackend } from "./tfjs-backend.ts";

/** Options of {@link createTfjsEngine}. */
export interface TfjsEngineOptions {
  /** Backend for computing. @defaultValue the fastest installed backend */
  readonly backend?: TfjsBackend;
}

const LOAD_DEFAULTS: Required<LoadOptions> = {
  threads: 0,
  optimize: true,
  carried: new Map(),
  staying: new Set(),
};

/**
 * Creates an engine that computes graphs with TensorFlow.js, on the first of these that is installed:
 * `@tensorflow/tfjs-node-gpu`, `@tensorflow/tfjs-node`, `@tensorflow/tfjs` with
 * `@tensorflow/tfjs-backend-wasm`, and `@tensorflow/tfjs` alone. The engine is named after the backend:
 * `tfjs-node-gpu`, `tfjs-node`, `tfjs-wasm` or `tfjs-cpu`.
 *
 * It computes in f32, 32-bit integers and truth values; 64-bit integers are limited to 32 bits, and other
 * floats are refused. The backend decides on threads and optimisation. `loadWithTape` computes gradients by
 * its tape.
 *
 * @throws UnsupportedError if no package of TensorFlow.js is installed; the message names the package to add
 * @throws EngineError if the installed package does not start
 * @throws OutOfRangeError if there is no backend with that name
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

/** Names of the value to differentiate and of the values with respect to which it is differentiated. */
interface TapeOptions {
  readonly loss: string;
  readonly withRespectTo: readonly string[];
}

/**
 * Creates a session that returns the outputs of a graph, the loss, and gradients from TensorFlow.js's tape,
 * with the names that `gradient(graph, options)` gives them.
 *
 * @param graph - a graph with the types of its values
 * @throws MismatchError if the graph has no types, the loss is not a scalar, or a value of `withRespectTo` is
 *   not in the graph or not floating-point
 * @throws UnsupportedError if an operator or an element type is not supported
 */
function createTapeSession(graph: Graph, loaded: LoadedTfjs, options: TapeOptions): Session {
  const types = typesOf(graph);
  assertTape(graph, types, options);
  const { loss, withRespectTo } = options;
  const session = new GraphOnTfjs(graph, loaded, new Set([loss]));
  const outputs = [...new Set([...graph.outputs.map(({ name }) => name), loss])];
  const names = [...outputs, ...withRespectTo.map((name) => gradientName(loss, name))];
  return {
    run: async (feeds, out = new Map()) =>
      session.run(feeds, out, (values) => {
        differentiate(session, values, { types, loss, withRespectTo, outputs });
        return names;
      }),
    release: async () => session.release(),
  };
}

function assertTape(
  graph: Graph,
  types: ReadonlyMap<string, TensorInfo>,
  { loss, withRespectTo }: TapeOptions,
): void {
  const isFloat = (name: string) => {
    const info = types.get(name);
    return info !== undefined && DTYPES[info.dtype].float;
  };
  const lossShape = types.get(loss)?.shape;
  if (lossShape === undefined || sizeOf(lossShape) !== 1 || !isFloat(loss)) {
    throw new MismatchError(
      `Cannot differentiate graph "${graph.name}" as the loss must be one floating-point number: "${loss}" is ${types.get(loss)?.dtype ?? "not a value"} ${formatShape(lossShape ?? [])}; reduce it first`,
      { parameters: [loss] },
    );
  }
  const wrong = withRespectTo.find((name) => !isFloat(name));
  if (wrong === undefined) return;
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" with respect to "${wrong}" as it must be a floating-point value: it is ${types.get(wrong)?.dtype ?? "none of the graph"}`,
    { parameters: [wrong] },
  );
}

interface Differentiation extends TapeOptions {
  readonly types: ReadonlyMap<string, TensorInfo>;
  readonly outputs: readonly string[];
}

/** Runs the nodes on a tape and adds the gradients to the values. */
function differentiate(
  session: GraphOnTfjs,
  values: Map<string, TfValue>,
  { types, loss, withRespectTo, outputs }: Differentiation,
): void {
  const { tf } = session;
  const computed = withRespectTo.filter((name) => !values.has(name));
  // A value that a node computes is not a variable of the tape, but a zero that is added to it can be.
  const zeros = new Map(computed.map((name) => [name, tf.zeros([...entry(types, name, "value").shape])]));
  const variables = withRespectTo.map((name) => zeros.get(name) ?? entry(values, name, "value").tensor);
  const results = new Map<string, TfValue>();
  const replace = (name: string, value: TfValue): TfValue => {
    const zero = zeros.get(name);
    return zero === undefined ? value : { ...value, tensor: tf.add(value.tensor, zero) };
  };
  const forward = () => {
    const inner = new Map(values);
    runNodes({ tf, engine: session.engine, graph: session.graph, plan: session.plan, replace }, inner);
    for (const name of outputs) {
      const value = inner.get(name);
      if (value !== undefined) results.set(name, { ...value, tensor: tf.keep(value.tensor.clone()) });
    }
    return entry(inner, loss, "value").tensor;
  };
  const { grads } = tf.engine().gradients(forward, variables, undefined, true);
  for (const [name, value] of results) {
    values.set(name, { ...value, tensor: detach(tf, value.tensor) });
    value.tensor.dispose();
  }
  for (const [i, name] of withRespectTo.entries()) {
    const tensor = grads[i] ?? tf.zerosLike(at(variables, i, "variable"));
    values.set(gradientName(loss, name), { tensor, dtype: entry(types, name, "value").dtype });
  }
}

/**
 * Creates a session that computes the outputs of a graph.
 * @throws UnsupportedError if an operator or an element type is not supported
 */
function createTfjsSession(graph: Graph, loaded: LoadedTfjs): Session {
  const session = new GraphOnTfjs(graph, loaded);
  const names = graph.outputs.map(({ name }) => name);
  return {
    run: async (feeds, out = new Map()) =>
      session.run(feeds, out, (values) => {
        runNodes(session, values);
        return names;
      }),
    release: async () => session.release(),
  };
}
