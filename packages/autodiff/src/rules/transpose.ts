import { transpose } from "@isthmus/graph/builder";
import { intsAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Axes in another order: the gradient with its axes put back. */
export const transposeRule: GradientRule = (context) => {
  const axes = [...operand(context, 0).shape.keys()];
  const order = intsAttribute(context.node, "perm") ?? axes.toReversed();
  return [
    transpose(
      cotangent(context),
      axes.map((axis) => order.indexOf(axis)),
    ),
  ];
};
