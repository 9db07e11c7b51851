import { at, DTYPES, EngineError, isIsthmusError, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import type { OperatorContext, TfjsOperator } from "./operator.ts";
import { TFJS_OPERATORS } from "./operators/table.ts";
import { type TfValue, tfTypeOf } from "./tensors.ts";
import type { Tfjs, TfTensor } from "./tfjs-types.ts";

/** A node, its operator, and the names of values that are not read by later nodes. */
export interface PlannedNode {
  /** Node of the graph, in the order of computation. */
  readonly node: Node;
  /** Implementation of the node's operator in TensorFlow.js. */
  readonly operator: TfjsOperator;
  /** Names of operands and results that no later node reads, which are freed after this node. */
  readonly lastUses: readonly string[];
}

/**
 * Finds the operator of every node, and the node after which each value may be freed.
 * @param retained - names of values that must not be freed before the end, besides the outputs
 * @throws UnsupportedError if an operator is not supported; the message names the node
 */
export function planNodes(graph: Graph, retained: ReadonlySet<string>): PlannedNode[] {
  const used = new Set([...graph.outputs.map(({ name }) => name), ...retained, ""]);
  const planned: PlannedNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    const lastUses = [...new Set([...node.inputs, ...node.outputs])].filter((name) => !used.has(name));
    for (const name of lastUses) used.add(name);
    planned.push({ node, operator: operatorOf(graph, node), lastUses });
  }
  return planned.reverse();
}

function operatorOf(graph: Graph, node: Node): TfjsOperator {
  const operator = node.domain === "" ? TFJS_OPERATORS.get(node.op) : undefined;
  if (operator !== undefined) return operator;
  throw new UnsupportedError(
    `Cannot load graph "${graph.name}" into TensorFlow.js as every operator must be handled: node "${node.name}" is ${node.domain === "" ? "" : `${node.domain}.`}${node.op}; use onnxruntime`,
    { feature: node.op },
  );
}

/** Engine, graph and plan of {@link runNodes}. */
export interface RunNodes {
  /** Functions of TensorFlow.js with the backend that computes. */
  readonly tf: Tfjs;
  /** Name of the engine, for messages. */
  readonly engine: string;
  /** Graph to which the nodes belong, whose version of the operator set applies. */
  readonly graph: Graph;
  /** Nodes in the order of computation, with their operators. */
  readonly plan: readonly PlannedNode[];
  /**
   * Function that gets every value that a node computes, and returns the value to use instead; set only while
   * a tape is being recorded.
   */
  readonly replace?: (name: string, value: TfValue) => TfValue;
}

/**
 * Computes the nodes of a graph in order.
 *
 * @param values - inputs, weights and constants by name; computed values are added, and freed after their
 * last use
 * @throws EngineError if a node cannot be computed; the caller's scope must then free the computed values
 */
export function runNodes({ tf, engine, graph, plan, replace }: RunNodes, values: Map<string, TfValue>): void {
  const inputNames = new Set(values.keys());
  const opset = graph.opsets.get("") ?? 1;
  for (const { node, operator, lastUses } of plan) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    const results = computeNode({ tf, engine, node, opset, inputs }, operator, replace !== undefined);
    for (const [i, name] of node.outputs.entries()) {
      const result = results[i];
      if (name === "" || result === undefined) result?.tensor.dispose();
      else values.set(name, replace?.(name, result) ?? result);
    }
    for (const name of lastUses) {
      if (inputNames.has(name)) continue;
      values.get(name)?.tensor.dispose();
      values.delete(name);
    }
  }
}

function computeNode(context: OperatorContext, operator: TfjsOperator, isTaped: boolean): TfValue[] {
  const { tf, engine, node } = context;
  try {
    const types = operator.types(context);
    const typeOf = (index: number) => at(types, Math.min(index, types.length - 1), "type");
    const passesGradient = types.some((dtype) => DTYPES[dtype].float);
    tfTypeOf(typeOf(0), node.name);
    const tensors = tf.tidy(() => {
      const source = isTaped && !passesGradient ? detached(context) : context;
      const isInput = (tensor: TfTensor) => source.inputs.some((value) => value?.tensor === tensor);
      // An input that an operator returns unchanged is cloned, since both are freed separately.
      return [operator.compute(source)].flat().map((tensor) => (isInput(tensor) ? tensor.clone() : tensor));
    });
    return tensors.map((tensor, index) => ({ tensor, dtype: typeOf(index) }));
  } catch (cause) {
    if (isIsthmusError(cause)) throw cause;
    throw new EngineError(
      `Cannot compute node "${node.name}" (${node.op}) on TensorFlow.js: ${(cause as Error).message}`,
      { engine, cause },
    );
  }
}

/**
 * Detaches the operands of a node from the tape, as most operators on integers and truth values have no
 * gradient in TensorFlow.js, not even zero.
 */
function detached(context: OperatorContext): OperatorContext {
  const { tf, inputs } = context;
  return {
    ...context,
    inputs: inputs.map((value) => value && { tensor: detach(tf, value.tensor), dtype: value.dtype }),
  };
}

/** Returns a tensor that shares the elements of another and is not on any tape. */
export function detach(tf: Tfjs, tensor: TfTensor): TfTensor {
  const engine = tf.engine();
  engine.backend.incRef(tensor.dataId);
  return engine.makeTensorFromTensorInfo(tensor);
}
