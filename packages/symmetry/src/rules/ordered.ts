import { constantNumbers, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { extentOf, type Labelled } from "../labels/field.ts";
import { labelConstant } from "../labels/label-constant.ts";
import { tie } from "../primitives/tie.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, isComputed, outputShape, type Rule } from "./rule.ts";

/** Fixes an axis of a result whose elements depend on the order of the input's axis. */
function orderAxis({ fields }: Labelled, shape: readonly number[], axis: number): Labelled {
  return fixAxes({ shape, fields }, [axis]);
}

/** Follows `CumSum`: sums up to each place of an axis. */
export const cumulativeSum: Rule = (context) => {
  const x = inputOf(context, 0);
  const numbers = constantNumbers(context, 1);
  const [axisNumber] = numbers ?? [];
  if (axisNumber === undefined) return undefined;
  const axis = wrapAxis(axisNumber, x.shape.length);
  const collapsed = collapseOrdered(context.store, x, [axis], "it is summed up along it there, in order");
  return [orderAxis(collapsed, x.shape, axis)];
};

/** Follows `TopK`: the largest elements along an axis, and their positions on it; either may be left out. */
export const topK: Rule = (context) => {
  const x = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const reason = "the positions of the largest values along it are computed there";
  const shape = outputShape(context, context.outputs[0] === undefined ? 1 : 0);
  const result = orderAxis(collapseOrdered(context.store, x, [axis], reason), shape, axis);
  return [result, result];
};

/** Follows `Trilu`: a triangle of matrices, as if multiplied by a mask of ones and zeros. */
export const triangle: Rule = (context) => {
  const x = inputOf(context, 0);
  if (isComputed(context, 1)) return undefined;
  const [diagonal = 0] = constantNumbers(context, 1) ?? [];
  const isUpper = intAttribute(context.node, "upper", 1) === 1;
  const rank = x.shape.length;
  const [rows, columns] = [extentOf(x, rank - 2), extentOf(x, rank - 1)];
  const data = Uint8Array.from({ length: rows * columns }, (_, place) => {
    const above = (place % columns) - Math.floor(place / columns) - diagonal;
    return (isUpper ? above >= 0 : above <= 0) ? 1 : 0;
  });
  return [tie(context.store, [x, labelConstant({ dtype: "u8", shape: [rows, columns], data })])];
};

/**
 * Follows `GatherElements`: one element along an axis for each index; other axes must be gathered from as a
 * whole.
 */
export const gatherElements: Rule = (context) => {
  const x = inputOf(context, 0);
  const indices = inputOf(context, 1);
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), x.shape.length);
  if (x.shape.some((extent, other) => other !== axis && extent !== indices.shape[other])) return undefined;
  const table = collapseOrdered(context.store, x, [axis], "it is indexed by computed numbers there");
  return [tie(context.store, [table, indices])];
};
