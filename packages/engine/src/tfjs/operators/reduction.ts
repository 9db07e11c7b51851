import { at } from "@isthmus/core";
import { intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import { numbers, type OperatorContext, operand, same, type TfjsOperator, typed } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

type Reduce = (tf: Tfjs, x: TfTensor, axes: number[], keepDims: boolean) => TfTensor;

/**
 * Creates an operator that reduces axes; these are an operand or an attribute, depending on the operator set,
 * and all axes by default.
 */
function reduction(apply: Reduce): TfjsOperator {
  return same((context) => {
    const { tf, node } = context;
    const x = operand(context, 0);
    const list = numbers(context, 1) ?? intsAttribute(node, "axes") ?? [];
    if (list.length === 0 && intAttribute(node, "noop_with_empty_axes", 0) === 1) return x;
    const axes = list.length === 0 ? [...x.shape.keys()] : list.map((axis) => wrapAxis(axis, x.rank));
    return apply(tf, x, axes, intAttribute(node, "keepdims", 1) === 1);
  });
}

/** Computes the logarithm of a sum of exponentials, without overflow. */
const logSumExp: Reduce = (tf, x, axes, keepDims) => tf.logSumExp(x, axes, keepDims);

/**
 * Creates an operator that finds the index of the largest
 * or smallest element along an axis, the first or the last.
 */
function extremum(apply: (tf: Tfjs, x: TfTensor, axis: number) => TfTensor): TfjsOperator {
  return typed("i64", (context: OperatorContext) => {
    const { tf, node } = context;
    const x = operand(context, 0);
    const axis = wrapAxis(intAttribute(node, "axis", 0), x.rank);
    const isLast = intAttribute(node, "select_last_index", 0) === 1;
    const first = apply(tf, isLast ? tf.reverse(x, axis) : x, axis);
    const index = isLast ? tf.sub(tf.scalar(at(x.shape, axis, "axis") - 1, "int32"), first) : first;
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
