import { intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import { numbers, type OperatorContext, operand, same, type TfjsOperator, typed } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

type Reduce = (tf: Tfjs, x: TfTensor, axes: number[], keepDims: boolean) => TfTensor;

/** Axes are an operand, in newer operator sets, or an attribute; without them all are reduced. */
function reduction(apply: Reduce): TfjsOperator {
  return same((context) => {
    const { tf, node } = context;
    const x = operand(context, 0);
    const given = numbers(context, 1) ?? intsAttribute(node, "axes") ?? [];
    if (given.length === 0 && intAttribute(node, "noop_with_empty_axes", 0) === 1) return x;
    const axes = given.length === 0 ? [...x.shape.keys()] : given.map((axis) => wrapAxis(axis, x.rank));
    return apply(tf, x, axes, intAttribute(node, "keepdims", 1) === 1);
  });
}

/** Logarithm of a sum of exponentials, without overflow. */
const logSumExp: Reduce = (tf, x, axes, keepDims) => tf.logSumExp(x, axes, keepDims);

/** Index of the first largest or smallest element along an axis, or of the last one. */
function extremum(apply: (tf: Tfjs, x: TfTensor, axis: number) => TfTensor): TfjsOperator {
  return typed("i64", (context: OperatorContext) => {
    const { tf, node } = context;
    const x = operand(context, 0);
    const axis = wrapAxis(intAttribute(node, "axis", 0), x.rank);
    const isLast = intAttribute(node, "select_last_index", 0) === 1;
    const found = apply(tf, isLast ? tf.reverse(x, axis) : x, axis);
    const index = isLast ? tf.sub(tf.scalar((x.shape[axis] ?? 1) - 1, "int32"), found) : found;
    return intAttribute(node, "keepdims", 1) === 1 ? tf.expandDims(index, axis) : index;
  });
}

/** Reductions over axes. */
export const REDUCTION: Readonly<Record<string, TfjsOperator>> = {
  ReduceSum: reduction((tf, x, axes, keepDims) => tf.sum(x, axes, keepDims)),
  ReduceMean: reduction((tf, x, axes, keepDims) => tf.mean(x, axes, keepDims)),
  ReduceMax: reduction((tf, x, axes, keepDims) => tf.max(x, axes, keepDims)),
  ReduceMin: reduction((tf, x, axes, keepDims) => tf.min(x, axes, keepDims)),
  ReduceProd: reduction((tf, x, axes, keepDims) => tf.prod(x, axes, keepDims)),
  ReduceSumSquare: reduction((tf, x, axes, keepDims) => tf.sum(tf.mul(x, x), axes, keepDims)),
  ReduceL1: reduction((tf, x, axes, keepDims) => tf.sum(tf.abs(x), axes, keepDims)),
  ReduceL2: reduction((tf, x, axes, keepDims) => tf.sqrt(tf.sum(tf.mul(x, x), axes, keepDims))),
  ReduceLogSum: reduction((tf, x, axes, keepDims) => tf.log(tf.sum(x, axes, keepDims))),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: extremum((tf, x, axis) => tf.argMax(x, axis)),
  ArgMin: extremum((tf, x, axis) => tf.argMin(x, axis)),
};
