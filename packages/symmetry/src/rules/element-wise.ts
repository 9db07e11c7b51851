import { tie } from "../primitives/tie.ts";
import { givenInputs, inputOf, type Rule } from "./rule.ts";

/**
 * Follows functions of corresponding elements, with broadcasting: activations, arithmetic, comparisons,
 * selections.
 */
export const elementWise: Rule = (context) => [tie(context.store, givenInputs(context))];

/** Follows `CastLike`: the first input in the element type of the second, whose values are not read. */
export const castLike: Rule = (context) => [tie(context.store, [inputOf(context, 0)])];

/** Follows dropout in evaluation: its input, and a mask of ones of the same shape. */
export const dropout: Rule = (context) => {
  const result = tie(context.store, [inputOf(context, 0)]);
  return [result, result];
};
