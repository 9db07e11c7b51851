import { sizeOf } from "@isthmus/core";
import { argMax, equal, reshape } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Largest over all spatial axes: the gradient to the element it is, the first of several, as other pools do. */
export const globalMaxPoolRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const planes = reshape(x, [batch, channels, sizeOf(spatial)]);
  const first = reshape(argMax(planes, -1), [batch, channels, 1]);
  const places = x.builder.ints([...Array(sizeOf(spatial)).keys()]);
  const given = reshape(cotangent(context), [batch, channels, 1]);
  return [reshape(gate(given, equal(places, first)), x.shape)];
};
