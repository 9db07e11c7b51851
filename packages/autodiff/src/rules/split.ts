import { concat, type Value } from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { type GradientRule, operand } from "../gradient-rule.ts";
import { zeros } from "../zeros.ts";

/** Parts along an axis: their gradients one after another, zeros for parts that the loss does not depend on. */
export const splitRule: GradientRule = (context) => {
  const { node, builder } = context;
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), x.shape.length);
  const parts = node.outputs.map(
    (name, i): Value => context.cotangents[i] ?? zeros(x, builder.value(name).shape),
  );
  return [parts.length === 1 ? parts[0] : concat(parts, axis)];
};
