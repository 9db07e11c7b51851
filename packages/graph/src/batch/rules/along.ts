import { intAttribute, wrapAxis } from "../../ir/attributes.ts";
import {
  atAxis,
  axesOf,
  everywhere,
  MIXES,
  type PlaceContext,
  type PlaceRule,
  shapeOf,
} from "./place-rule.ts";

/** Follows operators on images and similar values, whose first axis is always the batch. */
export const batchFirst: PlaceRule = (context) => {
  const place = context.places[0];
  const others = context.places.slice(1);
  if (place?.axis !== 0 || others.some((other) => other !== undefined)) return MIXES;
  return { places: everywhere(context, place) };
};

/** Follows `BatchNormalization` by statistics that are inputs. */
export const batchNormalization: PlaceRule = (context) =>
  intAttribute(context.node, "training_mode", 0) === 1
    ? "it normalizes by the statistics of the batch"
    : batchFirst(context);

/**
 * Follows `Attention` and `RotaryEmbedding`: each input has the batch first, or is shared by all examples.
 */
export const attention: PlaceRule = (context) => {
  const [place] = context.places;
  if (place === undefined || context.places.some((other) => other !== undefined && other.axis !== 0))
    return MIXES;
  const isShared = context.inputs.every(
    (shape, input) =>
      shape === undefined || context.places[input] !== undefined || shape.length < 3 || shape[0] === 1,
  );
  return isShared ? { places: everywhere(context, place) } : MIXES;
};

/** Makes the rule of operators along one axis that keep the axis: `CumSum`, `TopK`, norms by length. */
export const alongOne =
  (axisOf: (context: PlaceContext, rank: number) => number | undefined): PlaceRule =>
  (context) => {
    const [place] = context.places;
    const rank = shapeOf(context, 0).length;
    const axis = axisOf(context, rank);
    if (axis === undefined) return "along which axis it works depends on data";
    if (place === undefined || wrapAxis(axis, rank) === place.axis) return MIXES;
    return { places: everywhere(context, place) };
  };

/**
 * Makes the rule of operators over one axis and all axes behind it: layer norms, and
 * softmax of old operator sets.
 */
export const fromOne =
  (fallback: number): PlaceRule =>
  (context) => {
    const [place] = context.places;
    const rank = shapeOf(context, 0).length;
    if (place === undefined || place.axis >= wrapAxis(intAttribute(context.node, "axis", fallback), rank))
      return MIXES;
    return { places: everywhere(context, place) };
  };

/** Follows `Softmax` and `LogSoftmax`: along one axis; before operator set 13 over all axes from one on. */
export const softmax: PlaceRule = (context) =>
  context.opset >= 13 ? alongOne(({ node }) => intAttribute(node, "axis", -1))(context) : fromOne(1)(context);

/** Follows `ReduceSum` and the other reductions, over axes other than the batch's. */
export const reduction: PlaceRule = (context) => {
  const rank = shapeOf(context, 0).length;
  const named = axesOf(context, 1, rank);
  if (named === "computed") return "over which axes it reduces depends on data";
  const isAll = named === undefined || named.length === 0;
  const keepsAll = isAll && intAttribute(context.node, "noop_with_empty_axes", 0) === 1;
  const axes = isAll ? (keepsAll ? [] : [...shapeOf(context, 0).keys()]) : named;
  return without(context, axes);
};

/** Follows `ArgMax` and `ArgMin` along an axis other than the batch's. */
export const argReduction: PlaceRule = (context) =>
  without(context, [wrapAxis(intAttribute(context.node, "axis", 0), shapeOf(context, 0).length)]);

/** Follows `Trilu`, which masks along the last two axes. */
export const triangle: PlaceRule = (context) => {
  const [place] = context.places;
  if (place === undefined || place.axis >= shapeOf(context, 0).length - 2) return MIXES;
  return { places: [place] };
};

/** Returns the position of the batch after a reduction over axes, which are kept with extent 1 or removed. */
function without(context: PlaceContext, axes: readonly number[]): ReturnType<PlaceRule> {
  const [place] = context.places;
  if (place === undefined || axes.includes(place.axis)) return MIXES;
  if (intAttribute(context.node, "keepdims", 1) === 1) return { places: [place] };
  return { places: [atAxis(place, place.axis - axes.filter((axis) => axis < place.axis).length)] };
}
