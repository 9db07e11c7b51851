import { at } from "@isthmus/core";
import { reduceSum, reshape } from "@isthmus/graph/builder";
import { intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";

/**
 * Differentiates an enlargement by whole factors in which each element becomes a block of copies, as in the
 * way up of a U-Net: the sum of the gradients of the copies. Other enlargements, and reductions, are refused.
 */
const resizeRule: GradientRule = (context) => {
  const { shape } = context.operand(0);
  const g = context.cotangent();
  if (shape.includes(0)) return [undefined];
  const factors = shape.map((extent, axis) => at(g.shape, axis, "axis") / extent);
  assertCopies(context, factors);
  const split = shape.flatMap((extent, axis) => [extent, at(factors, axis, "axis")]);
  return [reduceSum(reshape(g, split), { axes: shape.map((_, axis) => 2 * axis + 1) })];
};

/**
 * Pairs of modes in which the element at place `i` is a copy of the one at `floor(i / factor)`: with centres
 * of pixels the nearest one is never in doubt, so that all ways to round agree.
 */
const COPYING = ["half_pixel round", "pytorch_half_pixel round", "asymmetric floor"];

/** Checks that each element becomes a block of copies. @throws UnsupportedError if not */
function assertCopies(context: GradientContext, factors: readonly number[]): void {
  const { node, refuseVariant } = context;
  if (node.inputs.length < 3) refuseVariant("must have its scales as third input", "of operator set 10");
  const mode = stringAttribute(node, "mode", "nearest");
  if (mode !== "nearest") refuseVariant('must have mode "nearest" to have a gradient', `"${mode}"`);
  const places = stringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  const rounding = stringAttribute(node, "nearest_mode", "round_prefer_floor").replace(/^round_.*/, "round");
  if (!COPYING.includes(`${places} ${rounding}`)) {
    refuseVariant("must copy each element as a block to have a gradient", `"${places}" with "${rounding}"`);
  }
  const policy = stringAttribute(node, "keep_aspect_ratio_policy", "stretch");
  if (policy !== "stretch") refuseVariant('must have the policy "stretch" to have a gradient', `"${policy}"`);
  const scales = scalesOf(context, factors);
  if (factors.every((factor, axis) => Number.isInteger(factor) && scales[axis] === factor)) return;
  refuseVariant("must enlarge by whole factors to have a gradient", scales.join(", "));
}

/** Returns the scale of each axis, as the node states it, or by the extents if it states sizes. */
function scalesOf({ node, settledNumbers }: GradientContext, factors: readonly number[]): readonly number[] {
  const stated = settledNumbers(2) ?? [];
  if (stated.length === 0) return factors;
  const axes = intsAttribute(node, "axes") ?? [...factors.keys()];
  const scales = factors.map(() => 1);
  axes.forEach((axis, i) => {
    scales[wrapAxis(axis, factors.length)] = at(stated, i, "scale");
  });
  return scales;
}

/** Rules of operators that resize images. */
export const RESIZE_RULES: GradientRules = { Resize: resizeRule };
