import { int, ints, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";
import { mul } from "./elementwise.ts";

/** Options of reductions. */
export interface ReduceOptions {
  /** Reduced axes; negative ones count from the end. @defaultValue all */
  readonly axes?: readonly number[];
  /** Whether reduced axes are kept, with extent 1. @defaultValue false */
  readonly keepDims?: boolean;
}

/** Operator set from which the axes of a reduction are an input instead of an attribute, by operator. */
const AXES_ARE_INPUT: Readonly<Record<string, number>> = { ReduceSum: 13 };
/** Operator set from which the axes of all other reductions are an input. */
const AXES_ARE_INPUT_OTHERS = 18;

function reduce(
  op: string,
  x: Value,
  { axes: listed = [...x.shape.keys()], keepDims = false }: ReduceOptions,
): Value {
  const rank = x.shape.length;
  const axes = listed.map((axis) => wrapAxis(axis, rank)).sort((a, b) => a - b);
  if (axes.length === 0) return x;
  const reduced = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const shape = keepDims ? reduced : reduced.filter((_, axis) => !axes.includes(axis));
  const { builder } = x;
  const asInput = builder.opset >= (AXES_ARE_INPUT[op] ?? AXES_ARE_INPUT_OTHERS);
  return builder.emit(op, asInput ? [x, builder.ints(axes)] : [x], [{ dtype: x.dtype, shape }], {
    attributes: { keepdims: int(keepDims ? 1 : 0), ...(asInput ? {} : { axes: ints(axes) }) },
  })[0] as Value;
}

/** Computes the sum over axes. */
export const reduceSum = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceSum", x, options);
/** Computes the mean over axes. */
export const reduceMean = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMean", x, options);
/** Takes the largest element over axes. */
export const reduceMax = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMax", x, options);
/** Takes the smallest element over axes. */
export const reduceMin = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMin", x, options);
/** Computes the sum of squares over axes. */
export const reduceSumSquare = (x: Value, options: ReduceOptions = {}): Value =>
  (options.axes ?? x.shape).length === 0 ? mul(x, x) : reduce("ReduceSumSquare", x, options);
/** Computes the Euclidean length over axes. */
export const reduceL2 = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceL2", x, options);
/** Computes the product over axes. */
export const reduceProd = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceProd", x, options);

/** Finds the index (i64) of the largest element along an axis; of several, the first. */
export function argMax(x: Value, axis: number): Value {
  const reduced = wrapAxis(axis, x.shape.length);
  const shape = x.shape.filter((_, other) => other !== reduced);
  return x.builder.emit("ArgMax", [x], [{ dtype: "i64", shape }], {
    attributes: { axis: int(reduced), keepdims: int(0) },
  })[0] as Value;
}
