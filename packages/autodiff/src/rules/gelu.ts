import { add, erf, exp, GELU_CUBIC, GELU_SLOPE, mul, sub, tanh, type Value } from "@isthmus/graph/builder";
import { stringAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Density of the standard normal distribution at 0. */
const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/** `y = x Φ(x)`: `Φ(x) + x φ(x)`; or the derivative of its approximation by a hyperbolic tangent. */
export const geluRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const isApproximate = stringAttribute(context.node, "approximate", "none") === "tanh";
  return [mul(cotangent(context), isApproximate ? approximateSlope(x) : slope(x))];
};

function slope(x: Value): Value {
  const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(mul(x, x), -0.5)), DENSITY);
  return add(distribution, mul(x, density));
}

/** With `u = a (x + b x³)`: `(1 + tanh u) / 2 + x (1 - tanh² u) / 2 * a (1 + 3 b x²)`. */
function approximateSlope(x: Value): Value {
  const squared = mul(x, x);
  const curve = tanh(mul(x, add(mul(squared, GELU_SLOPE * GELU_CUBIC), GELU_SLOPE)));
  const rise = mul(x, add(mul(squared, 1.5 * GELU_SLOPE * GELU_CUBIC), 0.5 * GELU_SLOPE));
  return add(add(mul(curve, 0.5), 0.5), mul(rise, sub(1, mul(curve, curve))));
}
