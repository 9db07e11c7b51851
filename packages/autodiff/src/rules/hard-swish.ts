import { abs, add, clip, div, less, mul } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = x clip(x / 6 + 1 / 2, 0, 1)`: slope `x / 3 + 1 / 2` where `|x| < 3`, 1 above, 0 below. */
export const hardSwishRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const share = clip(add(div(x, 6), 0.5), 0, 1);
  return [mul(cotangent(context), add(share, gate(div(x, 6), less(abs(x), 3))))];
};
