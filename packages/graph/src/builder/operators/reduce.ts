import { int, ints, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";
import { mul } from "./elementwise.ts";

/** Which axes to reduce, and what becomes of them. */
export interface ReduceOptions {
  /** Axes, negative ones counted from the end. @defaultValue all */
  readonly axes?: readonly number[];
  /** Whether reduced axes stay, with extent 1. @defaultValue false */
  readonly keepDims?: boolean;
}

/** Operator set from which the axes of a reduction are an input. */
const AXES_ARE_INPUT: Readonly<Record<string, number>> = { ReduceSum: 13 };
const AXES_ARE_INPUT_OTHERS = 18;

function reduce(op: string, x: Value, { axes: given, keepDims = false }: ReduceOptions): Value {
  const rank = x.shape.length;
  const axes = (given ?? x.shape.map((_, axis) => axis))
    .map((axis) => wrapAxis(axis, rank))
    .sort((a, b) => a - b);
  if (axes.length === 0) return x;
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const shape = keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
  const { builder } = x;
  const asInput = builder.opset >= (AXES_ARE_INPUT[op] ?? AXES_ARE_INPUT_OTHERS);
  return builder.emit(op, asInput ? [x, builder.ints(axes)] : [x], [{ dtype: x.dtype, shape }], {
    attributes: { keepdims: int(keepDims ? 1 : 0), ...(asInput ? {} : { axes: ints(axes) }) },
  })[0] as Value;
}

/** Sum over axes. */
export const reduceSum = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceSum", x, options);
/** Mean over axes. */
export const reduceMean = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMean", x, options);
/** Largest over axes. */
export const reduceMax = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMax", x, options);
/** Smallest over axes. */
export const reduceMin = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMin", x, options);
/** Sum of squares over axes. */
export const reduceSumSquare = (x: Value, options: ReduceOptions = {}): Value =>
  (options.axes ?? x.shape).length === 0 ? mul(x, x) : reduce("ReduceSumSquare", x, options);
/** Product over axes. */
export const reduceProd = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceProd", x, options);

/** Index i64 of the largest along an axis, of the first of them where several are. */
export function argMax(x: Value, axis: number): Value {
  const at = wrapAxis(axis, x.shape.length);
  const shape = x.shape.filter((_, own) => own !== at);
  return x.builder.emit("ArgMax", [x], [{ dtype: "i64", shape }], {
    attributes: { axis: int(at), keepdims: int(0) },
  })[0] as Value;
}
