import { constantNumbers, intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import { removeAxes } from "../primitives/move.ts";
import { normalize } from "../primitives/normalize.ts";
import { reduce } from "../primitives/reduce.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, isComputed, namedAxes, outputShape, type Rule, type RuleContext } from "./rule.ts";

/** Follows `ReduceSum` and its kin, whose result does not depend on the order of the reduced elements. */
export const reduction: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const axes = reducedAxes(context);
  if (axes === undefined) return undefined;
  if (axes.length === 0) return [x];
  const result = normalize(store, reduce(store, x, axes));
  return [intAttribute(node, "keepdims", 1) === 1 ? result : removeAxes(result, axes)];
};

/** Finds the axes that a reduction reduces, none if it does nothing; undefined if they depend on data. */
export function reducedAxes(context: RuleContext): readonly number[] | undefined {
  const { shape } = inputOf(context, 0);
  if (isComputed(context, 1)) return undefined;
  const named = namedAxes(context, 1, shape.length) ?? [];
  if (named.length > 0) return named;
  return intAttribute(context.node, "noop_with_empty_axes", 0) === 1 ? [] : shape.map((_, axis) => axis);
}

/** Follows `GlobalAveragePool` and `GlobalMaxPool`, which reduce all of space. */
export const globalPool: Rule = ({ store, inputs: [x] }) => {
  if (x === undefined) return undefined;
  const axes = x.shape.map((_, axis) => axis).slice(2);
  return [normalize(store, reduce(store, x, axes))];
};

/** Follows `ArgMax` and `ArgMin`: the result is a position, so the axis must stay in order. */
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

/**
 * Follows pools with windows, and resizing, which combine neighbours along axes whose order matters. The
 * second output of `MaxPool`, which numbers places over channels, is not followed.
 */
export const windowed: Rule = (context) => {
  const shape = outputShape(context);
  const touched = windowedAxes(context);
  if (touched === undefined) return undefined;
  const reason = "neighbours along it are combined there";
  const collapsed = collapseOrdered(context.store, inputOf(context, 0), touched, reason);
  return [fixAxes({ shape, fields: collapsed.fields }, touched)];
};

/**
 * Finds the axes along which a pool or a resizing combines neighbours: the axes of space, or the resized
 * axes. An axis may be resized although its extent stays, for example if four times 1.1 is rounded down.
 * @returns undefined if the axes depend on data, or if regions are cut out
 */
export function windowedAxes(context: RuleContext): readonly number[] | undefined {
  const { node } = context;
  const { shape } = inputOf(context, 0);
  const all = shape.map((_, axis) => axis);
  if (node.op.endsWith("Pool")) return all.slice(2);
  const scales = node.op === "Resize" && context.opset >= 11 ? 2 : 1;
  if (stringAttribute(node, "coordinate_transformation_mode", "") === "tf_crop_and_resize") return undefined;
  if (isComputed(context, scales)) return undefined;
  const axes = intsAttribute(node, "axes")?.map((axis) => wrapAxis(axis, shape.length)) ?? all;
  const factors = node.attributes.get("scales");
  const numbers = factors?.type === "floats" ? factors.value : (constantNumbers(context, scales) ?? []);
  const scaled = new Set(axes.filter((_, i) => i < numbers.length && numbers[i] !== 1));
  const result = outputShape(context);
  return all.filter((axis) => scaled.has(axis) || result[axis] !== shape[axis]);
}
