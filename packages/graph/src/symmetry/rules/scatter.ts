import { constantNumbers } from "../../ir/constant-numbers.ts";
import type { Labelled } from "../labels/field.ts";
import { labelConstant } from "../labels/label-constant.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, type Rule } from "./rule.ts";

/**
 * `ScatterND` of one value to constant places: the tensor meets the mask of places that are hit, as when a bias
 * has the part for keys set to zero.
 */
export const scatterNd: Rule = (context) => {
  const data = inputOf(context, 0);
  const indices = context.constant(1);
  const updates = context.constant(2);
  const numbers = constantNumbers(context, 1);
  if (indices === undefined || updates === undefined || numbers === undefined) return undefined;
  if (labelConstant(updates).fields.length > 0) return undefined;
  const depth = indices.shape.at(-1) ?? 1;
  return [tie(context.store, [data, hitMask(data.shape, numbers, depth)])];
};

function hitMask(shape: readonly number[], numbers: readonly number[], depth: number): Labelled {
  const mask = new Uint8Array(shape.reduce((size, extent) => size * extent, 1));
  const block = shape.slice(depth).reduce((size, extent) => size * extent, 1);
  for (let row = 0; row < numbers.length; row += depth) {
    let at = 0;
    for (let axis = 0; axis < depth; axis++) {
      const extent = shape[axis] ?? 1;
      const index = numbers[row + axis] ?? 0;
      at = at * extent + (index < 0 ? index + extent : index);
    }
    mask.fill(1, at * block, (at + 1) * block);
  }
  return labelConstant({ dtype: "u8", shape, data: mask });
}
