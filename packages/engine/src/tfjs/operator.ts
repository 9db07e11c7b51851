import { type DType, EngineError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { numbersOf, type TfValue } from "./tensors.ts";
import type { Tfjs, TfTensor } from "./tfjs-types.ts";

/** What an operator sees of the node it computes. */
export interface OperatorContext {
  readonly tf: Tfjs;
  /** Name of the engine, for messages. */
  readonly engine: string;
  readonly node: Node;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Operands; undefined for optional ones that are not given. */
  readonly inputs: readonly (TfValue | undefined)[];
}

/** Computes a node: its results in order, those behind the last wanted one may be left out. */
export type Compute = (context: OperatorContext) => TfTensor | readonly TfTensor[];

/** An ONNX operator in terms of TensorFlow.js. */
export interface TfjsOperator {
  readonly compute: Compute;
  /** Element types of the results; the last one stands for those behind it. */
  readonly types: (context: OperatorContext) => readonly DType[];
}

/** An operator whose results have the element type of its first operand. */
export function same(compute: Compute): TfjsOperator {
  return { compute, types: ({ inputs }) => [inputs[0]?.dtype ?? "f32"] };
}

/** An operator whose results have given element types. */
export function typed(types: DType | readonly DType[], compute: Compute): TfjsOperator {
  const list = typeof types === "string" ? [types] : types;
  return { compute, types: () => list };
}

/** An operator whose first result has the element type of its first operand, the others given ones. */
export function sameThen(types: readonly DType[], compute: Compute): TfjsOperator {
  return { compute, types: ({ inputs }) => [inputs[0]?.dtype ?? "f32", ...types] };
}

/** A required operand. @throws EngineError if the node lacks it */
export function operand({ inputs, node, engine }: OperatorContext, index: number): TfTensor {
  const value = inputs[index];
  if (value !== undefined) return value.tensor;
  throw new EngineError(
    `Cannot compute node "${node.name}" on TensorFlow.js as ${node.op} needs input ${index}: it is missing`,
    { engine },
  );
}

/** Elements of an operand as numbers, undefined if it is not given: axes, extents, pads. */
export function numbers({ inputs }: OperatorContext, index: number): number[] | undefined {
  const value = inputs[index];
  return value === undefined ? undefined : numbersOf(value.tensor);
}

/** Error of a node that asks for what TensorFlow.js, or this adapter, lacks. */
export function cannotCompute({ node, engine }: OperatorContext, rule: string, found: string): EngineError {
  return new EngineError(
    `Cannot compute node "${node.name}" (${node.op}) on TensorFlow.js as ${rule}: ${found}; use onnxruntime`,
    { engine },
  );
}
