import { intAttribute, wrapAxis } from "../../ir/attributes.ts";
import { removeAxes } from "../primitives/move.ts";
import { normalize } from "../primitives/normalize.ts";
import { reduce } from "../primitives/reduce.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, namedAxes, outputShape, type Rule } from "./rule.ts";

/** `ReduceSum` and its kin: any order of the reduced elements gives the same. */
export const reduction: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const rank = x.shape.length;
  const named = namedAxes(context, 1, rank);
  if (named === undefined && context.inputs[1] !== undefined) return undefined;
  const all = x.shape.map((_, axis) => axis);
  const none = named === undefined || named.length === 0;
  if (none && intAttribute(node, "noop_with_empty_axes", 0) === 1) return [x];
  const axes = none ? all : named;
  const result = normalize(store, reduce(store, x, axes));
  return [intAttribute(node, "keepdims", 1) === 1 ? result : removeAxes(result, axes)];
};

/** Operators covered by {@link reduction}. */
export const REDUCTION_OPERATORS: readonly string[] =
  "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare".split(
    " ",
  );

/** `GlobalAveragePool` and `GlobalMaxPool`: reduce all of space. */
export const globalPool: Rule = ({ store, inputs: [x] }) => {
  if (x === undefined) return undefined;
  const axes = x.shape.map((_, axis) => axis).slice(2);
  return [normalize(store, reduce(store, x, axes))];
};

/** `ArgMax` and `ArgMin`: the result is a position, so the axis must keep its order. */
export const argReduction: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), x.shape.length);
  const result = collapseOrdered(
    store,
    x,
    [axis],
    "the position of an extreme value along it is computed there",
  );
  return [intAttribute(node, "keepdims", 1) === 1 ? result : removeAxes(result, [axis])];
};

/** Pools with windows, and resizing: neighbours along the axes whose order matters are combined. */
export const windowed: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const pool = node.op.endsWith("Pool");
  // The second output of MaxPool numbers places over channels, which no label follows.
  if (context.outputs[1] !== undefined) return undefined;
  const touched = shape.flatMap((extent, axis) =>
    pool ? (axis >= 2 ? [axis] : []) : extent === x.shape[axis] ? [] : [axis],
  );
  const collapsed = collapseOrdered(store, x, touched, "neighbours along it are combined there");
  const result = fixAxes({ shape, fields: collapsed.fields }, touched);
  return [result];
};
