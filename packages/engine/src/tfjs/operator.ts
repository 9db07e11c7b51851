import { at, type DType, EngineError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { intsAttribute } from "@isthmus/graph/ir";
import { numbersOf, type TfValue } from "./tensors.ts";
import type { Tfjs, TfTensor } from "./tfjs-types.ts";

/** A node, its operands, and further inputs for computing it. */
export interface OperatorContext {
  /** Functions of TensorFlow.js with the backend that computes. */
  readonly tf: Tfjs;
  /** Name of the engine, for messages. */
  readonly engine: string;
  /** Node to compute, whose attributes the operator reads. */
  readonly node: Node;
  /** Version of ONNX's default operator set. */
  readonly opset: number;
  /** Operands; undefined for optional operands that the node omits. */
  readonly inputs: readonly (TfValue | undefined)[];
}

/** Computes a node and returns its results in order; results after the last used one may be left out. */
export type Compute = (context: OperatorContext) => TfTensor | readonly TfTensor[];

/** An ONNX operator in terms of TensorFlow.js. */
export interface TfjsOperator {
  /** Function that computes the results of a node from its operands. */
  readonly compute: Compute;
  /** Returns the element types of the results; all further results have the last type. */
  readonly types: (context: OperatorContext) => readonly DType[];
}

/** Creates an operator whose results have the element type of its first operand. */
export function same(compute: Compute): TfjsOperator {
  return { compute, types: (context) => [operandType(context, 0)] };
}

/** Creates an operator whose results have fixed element types. */
export function typed(types: DType | readonly DType[], compute: Compute): TfjsOperator {
  const list = typeof types === "string" ? [types] : types;
  return { compute, types: () => list };
}

/**
 * Creates an operator whose first result has the element type of its first operand, the others fixed types.
 */
export function sameThen(types: readonly DType[], compute: Compute): TfjsOperator {
  return { compute, types: (context) => [operandType(context, 0), ...types] };
}

/** Returns a required operand. @throws EngineError if the node lacks it */
export function operand(context: OperatorContext, index: number): TfTensor {
  return operandValue(context, index).tensor;
}

/** Returns the element type of a required operand. @throws EngineError if the node lacks it */
export function operandType(context: OperatorContext, index: number): DType {
  return operandValue(context, index).dtype;
}

function operandValue({ inputs, node, engine }: OperatorContext, index: number): TfValue {
  const value = inputs[index];
  if (value !== undefined) return value;
  throw new EngineError(
    `Cannot compute node "${node.name}" on TensorFlow.js as ${node.op} needs input ${index}: it is missing`,
    { engine },
  );
}

/**
 * Returns the elements of an operand as numbers, such as
 * axes, extents or pads; undefined if the node omits it.
 */
export function numbers({ inputs }: OperatorContext, index: number): number[] | undefined {
  const value = inputs[index];
  return value === undefined ? undefined : numbersOf(value.tensor);
}

/**
 * Returns the elements of an operand as numbers or, in older operator sets, the numbers of an attribute.
 * @throws EngineError if the node has neither
 */
export function requiredNumbers(
  context: OperatorContext,
  index: number,
  attribute: string,
): readonly number[] {
  const list = context.inputs[index] === undefined ? intsAttribute(context.node, attribute) : undefined;
  return list ?? numbersOf(operand(context, index));
}

/**
 * Returns the first element of an operand as a number.
 * @param fallback - value if the node omits the operand; undefined if the operand is required
 * @throws EngineError if the node lacks a required operand
 */
export function scalar(context: OperatorContext, index: number, fallback?: number): number {
  if (fallback !== undefined && context.inputs[index] === undefined) return fallback;
  return at(numbersOf(operand(context, index)), 0, "element");
}

/** Returns the error for a node that needs a feature which TensorFlow.js, or this adapter, lacks. */
export function cannotCompute({ node, engine }: OperatorContext, rule: string, problem: string): EngineError {
  return new EngineError(
    `Cannot compute node "${node.name}" (${node.op}) on TensorFlow.js as ${rule}: ${problem}; use onnxruntime`,
    { engine },
  );
}
