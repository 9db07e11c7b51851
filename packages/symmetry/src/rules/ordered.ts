import { constantNumbers, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import { labelConstant } from "../labels/label-constant.ts";
import { tie } from "../primitives/tie.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, isComputed, outputShape, type Rule } from "./rule.ts";

/** A value with an axis on which nothing may move: what lies there depends on the order of the input's axis. */
function orderAxis({ fields }: Labelled, shape: readonly number[], axis: number): Labelled {
  return fixAxes({ shape, fields }, [axis]);
}

/** `CumSum`: sums up to each place of an axis. */
export const cumulativeSum: Rule = (context) => {
  const x = inputOf(context, 0);
  const [given] = constantNumbers(context, 1) ?? [];
  if (given === undefined) return undefined;
  const axis = wrapAxis(given, x.shape.length);
  const collapsed = collapseOrdered(context.store, x, [axis], "it is summed up along it there, in order");
  return [orderAxis(collapsed, x.shape, axis)];
};

/** `TopK`: the largest elements along an axis, and their positions on it. */
export const topK: Rule = (context) => {
  const x = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const reason = "the positions of the largest values along it are computed there";
  const result = orderAxis(collapseOrdered(context.store, x, [axis], reason), outputShape(context), axis);
  return [result, result];
};

/** `Trilu`: a triangle of matrices, as if multiplied by a mask of ones and zeros. */
export const triangle: Rule = (context) => {
  const x = inputOf(context, 0);
  if (isComputed(context, 1)) return undefined;
  const [diagonal = 0] = constantNumbers(context, 1) ?? [];
  const isUpper = intAttribute(context.node, "upper", 1) === 1;
  const [rows = 1, columns = 1] = x.shape.slice(-2);
  const data = Uint8Array.from({ length: rows * columns }, (_, at) => {
    const above = (at % columns) - Math.floor(at / columns) - diagonal;
    return (isUpper ? above >= 0 : above <= 0) ? 1 : 0;
  });
  return [tie(context.store, [x, labelConstant({ dtype: "u8", shape: [rows, columns], data })])];
};

/** `GatherElements`: one element along an axis for each index; the other axes must be gathered from as a whole. */
export const gatherElements: Rule = (context) => {
  const x = inputOf(context, 0);
  const indices = inputOf(context, 1);
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), x.shape.length);
  if (x.shape.some((extent, other) => other !== axis && extent !== indices.shape[other])) return undefined;
  const table = collapseOrdered(context.store, x, [axis], "it is indexed by computed numbers there");
  return [tie(context.store, [table, indices])];
};
