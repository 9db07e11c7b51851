import { DTYPES, formatShape, MismatchError, sizeOf, type TensorInfo } from "@isthmus/core";
import type { Graph, Session } from "@isthmus/graph";
import { gradientName, typesOf } from "@isthmus/graph/ir";
import { GraphOnTfjs } from "./graph-on-tfjs.ts";
import type { LoadedTfjs } from "./load-tfjs.ts";
import { detach, runNodes } from "./run-nodes.ts";
import type { TfValue } from "./tensors.ts";
import type { TfTensor } from "./tfjs-types.ts";

/** What to differentiate, and by which values. */
export interface TapeOptions {
  readonly loss: string;
  readonly withRespectTo: readonly string[];
}

/**
 * Makes a session that returns the outputs of a graph, the loss, and gradients from TensorFlow.js's tape, all named as
 * `gradient(graph, options)` names them.
 *
 * @param graph - typed
 * @throws MismatchError if the graph is not typed, the loss not a scalar, or a value to differentiate by unknown or not
 *   floating-point
 * @throws UnsupportedError if an operator or an element type is not handled
 */
export function createTapeSession(graph: Graph, loaded: LoadedTfjs, options: TapeOptions): Session {
  const types = typesOf(graph);
  assertTape(graph, types, options);
  const { loss, withRespectTo } = options;
  const own = new GraphOnTfjs(graph, loaded, new Set([loss]));
  const outputs = [...new Set([...graph.outputs.map(({ name }) => name), loss])];
  const names = [...outputs, ...withRespectTo.map((name) => gradientName(loss, name))];
  return {
    run: async (feeds, out = new Map()) =>
      own.run(feeds, out, (values) => {
        differentiate(own, values, { types, loss, withRespectTo, outputs });
        return names;
      }),
    release: async () => own.release(),
  };
}

function assertTape(
  graph: Graph,
  types: ReadonlyMap<string, TensorInfo>,
  { loss, withRespectTo }: TapeOptions,
): void {
  const isFloat = (name: string) => DTYPES[types.get(name)?.dtype ?? "i64"].float;
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
  own: GraphOnTfjs,
  values: Map<string, TfValue>,
  { types, loss, withRespectTo, outputs }: Differentiation,
): void {
  const { tf } = own;
  const computed = withRespectTo.filter((name) => !values.has(name));
  // A value that a node computes is no variable of the tape: a zero added to it is.
  const zeros = new Map(computed.map((name) => [name, tf.zeros([...(types.get(name)?.shape ?? [])])]));
  const variables = withRespectTo.map((name) => zeros.get(name) ?? (values.get(name)?.tensor as TfTensor));
  const results = new Map<string, TfValue>();
  const replace = (name: string, value: TfValue): TfValue => {
    const zero = zeros.get(name);
    return zero === undefined ? value : { ...value, tensor: tf.add(value.tensor, zero) };
  };
  const forward = () => {
    const inner = new Map(values);
    runNodes({ tf, engine: own.engine, graph: own.graph, plan: own.plan, replace }, inner);
    for (const name of outputs) {
      const value = inner.get(name);
      if (value !== undefined) results.set(name, { ...value, tensor: tf.keep(value.tensor.clone()) });
    }
    return inner.get(loss)?.tensor as TfTensor;
  };
  const { grads } = tf.engine().gradients(forward, variables, undefined, true);
  for (const [name, value] of results) {
    values.set(name, { ...value, tensor: detach(tf, value.tensor) });
    value.tensor.dispose();
  }
  for (const [i, name] of withRespectTo.entries()) {
    const tensor = grads[i] ?? tf.zerosLike(variables[i] as TfTensor);
    values.set(gradientName(loss, name), { tensor, dtype: types.get(name)?.dtype ?? "f32" });
  }
}
