import { at, sizeOf } from "@isthmus/core";
import { constantNumbers, stringAttribute } from "@isthmus/graph/ir";
import { extentOf } from "../labels/field.ts";
import { labelConstant } from "../labels/label-constant.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, type Rule } from "./rule.ts";

/**
 * Follows `ScatterND` of one value to constant places: the tensor meets a mask that counts how often each
 * place is hit, for example when the part of a bias for keys is set to zero. If the value is added or
 * multiplied, a place that is hit twice differs from a place that is hit once.
 */
export const scatterNd: Rule = (context) => {
  const data = inputOf(context, 0);
  const indices = context.constant(1);
  const updates = context.constant(2);
  const numbers = constantNumbers(context, 1);
  if (indices === undefined || updates === undefined || numbers === undefined) return undefined;
  if (labelConstant(updates).fields.length > 0) return undefined;
  const depth = indices.shape.at(-1) ?? 1;
  const replaces = stringAttribute(context.node, "reduction", "none") === "none";
  const hits = countHits(data.shape, numbers, depth);
  const mask = replaces ? hits.map((count) => Math.min(count, 1)) : hits;
  return [tie(context.store, [data, labelConstant({ dtype: "i32", shape: data.shape, data: mask })])];
};

/** Counts how often each place of a tensor is hit, in row-major order. */
function countHits(shape: readonly number[], numbers: readonly number[], depth: number): Int32Array {
  const hits = new Int32Array(sizeOf(shape));
  const block = sizeOf(shape.slice(depth));
  for (let row = 0; row < numbers.length; row += depth) {
    let hit = 0;
    for (let axis = 0; axis < depth; axis++) {
      const extent = extentOf({ shape }, axis);
      const index = at(numbers, row + axis, "index");
      hit = hit * extent + (index < 0 ? index + extent : index);
    }
    for (let place = hit * block; place < (hit + 1) * block; place++)
      hits[place] = (hits[place] as number) + 1;
  }
  return hits;
}
