import { at } from "@isthmus/core";
import { intAttribute, stringAttribute, wrapAxis } from "../../ir/attributes.ts";
import { isSamePlace } from "../batch-place.ts";
import {
  atAxis,
  besides,
  everywhere,
  MIXES,
  type OperandChange,
  type PlaceContext,
  type PlaceRule,
  shapeOf,
} from "./place-rule.ts";

/** Follows operators on corresponding elements, with broadcasting: axes are counted from the last. */
export const elementWise: PlaceRule = (context) => {
  const rank = context.outputs.find((shape) => shape !== undefined)?.length ?? 0;
  return align(context, (input) => rank - shapeOf(context, input).length, true);
};

/** Follows `CastLike`: the batch of the first input; the second only names an element type. */
export const castLike: PlaceRule = (context) => {
  const [place] = context.places;
  return { places: [place] };
};

/**
 * Follows `MatMul`: the batch may be rows, columns or an axis before them, but no axis that is summed over.
 */
export const matMul: PlaceRule = (context) => {
  const rank = context.outputs[0]?.length ?? 0;
  const [a, b] = [shapeOf(context, 0).length, shapeOf(context, 1).length];
  const [left, right] = context.places;
  if (a === 1 || left?.axis === a - 1 || right?.axis === Math.max(0, b - 2)) return MIXES;
  if (left !== undefined && (b === 1 || left.axis === a - 2)) {
    // A vector on the right leaves no axis for its columns.
    return right === undefined ? { places: [atAxis(left, left.axis + (b === 1 ? 0 : rank - a))] } : MIXES;
  }
  if (right?.axis === b - 1) return left === undefined ? { places: [atAxis(right, rank - 1)] } : MIXES;
  return align(context, (input) => rank - shapeOf(context, input).length, true);
};

/** Follows `Gemm`: the batch may be the rows of the first matrix or the columns of the second. */
export const gemm: PlaceRule = (context) => {
  const { node, places, outputs } = context;
  const rows = intAttribute(node, "transA", 0) === 1 ? 1 : 0;
  const columns = intAttribute(node, "transB", 0) === 1 ? 0 : 1;
  const [left, right] = places;
  const isSummed = (left?.axis ?? rows) !== rows || (right?.axis ?? columns) !== columns;
  if ((left !== undefined && right !== undefined) || isSummed) return MIXES;
  const added = shapeOf(context, 2).length;
  const product = left === undefined ? right && atAxis(right, 1) : atAxis(left, 0);
  if (product === undefined) return align(context, () => (outputs[0]?.length ?? 0) - added, true);
  const of = {
    ...context,
    places: [product, undefined, places[2]],
    inputs: [outputs[0], undefined, context.inputs[2]],
  };
  return align(of, (input) => (input === 0 ? 0 : 2 - added), true);
};

/** Follows `Concat` along an axis other than the batch's. */
export const concatenation: PlaceRule = (context) => {
  const rank = context.outputs[0]?.length ?? 0;
  const joined = wrapAxis(intAttribute(context.node, "axis", 0), rank);
  if (context.places.some((place) => place?.axis === joined)) return MIXES;
  return align(context, () => 0, false);
};

/** Follows `Einsum`: the index name of the batch must be left in the result. */
export const einsum: PlaceRule = (context) => {
  const [left = "", result] = stringAttribute(context.node, "equation", "").replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (result === undefined || left.includes("."))
    return "its equation does not name every axis of the result";
  const letters = context.places.flatMap((place, input) =>
    place === undefined ? [] : [at([...at(terms, input, "term")], place.axis, "letter")],
  );
  const [letter = ""] = letters;
  if (letters.some((other) => other !== letter) || !result.includes(letter)) return MIXES;
  return align(context, (input) => result.indexOf(letter) - at(terms, input, "term").indexOf(letter), true);
};

/** Follows `GatherElements`: data and indices both hold the batch, or one is repeated. */
export const gatherElements: PlaceRule = (context) => {
  const taken = wrapAxis(intAttribute(context.node, "axis", 0), shapeOf(context, 0).length);
  if (context.places.some((place) => place?.axis === taken)) return MIXES;
  return align(context, () => 0, false);
};

/**
 * Checks that all inputs bring their batch to one axis of the result, and changes inputs without a batch.
 *
 * @param shift - returns the number that is added to an axis of an input to get the axis of the result
 * @param broadcasts - whether the operator repeats extents of 1 itself
 */
function align(
  context: PlaceContext,
  shift: (input: number) => number,
  broadcasts: boolean,
): ReturnType<PlaceRule> {
  const placed = context.places.flatMap((place, input) =>
    place === undefined ? [] : [{ ...place, axis: place.axis + shift(input) }],
  );
  const [place] = placed;
  if (place === undefined) return { places: [] };
  if (placed.some((other) => !isSamePlace(place, other))) return MIXES;
  const changes = new Map<number, OperandChange>();
  for (const [input, shape] of context.inputs.entries()) {
    if (shape === undefined || context.places[input] !== undefined) continue;
    const change = besides(context, place, { shape, axis: place.axis - shift(input), broadcasts });
    if (typeof change === "string") return change;
    if (change !== undefined) changes.set(input, change);
  }
  return { places: everywhere(context, place), changes };
}
