import { cast, equal, greater, log, mul, pow, sub, type Value, where } from "@isthmus/graph/builder";
import { constantNumbers } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * `z = x ** y`: `g y x ** (y - 1)` to `x`; `g z log(x)` to `y` where `x > 0`, else 0, as in PyTorch and JAX.
 */
export const powRule: GradientRule = (context) => {
  const [x, y, g] = [operand(context, 0), operand(context, 1), cotangent(context)];
  return [
    context.needs(0)
      ? reduceToShape(mul(g, derivative(x, y, constantNumbers(context, 1))), x.shape)
      : undefined,
    context.needs(1) ? reduceToShape(mul(g, byExponent(x, y, result(context))), y.shape) : undefined,
  ];
};

function derivative(x: Value, y: Value, exponents: readonly number[] | undefined): Value {
  const [exponent = 0] = exponents ?? [];
  if (exponents?.length === 1) {
    if (exponent === 2) return mul(x, 2);
    if (exponent === 3) return mul(mul(x, x), 3);
    return exponent === 1 ? pow(x, 0) : mul(pow(x, exponent - 1), exponent);
  }
  const factor = cast(y, x.dtype);
  // 0 ** -1 is infinite, but a power of 0 has no slope.
  return where(equal(factor, 0), 0, mul(factor, pow(x, sub(factor, 1))));
}

function byExponent(x: Value, y: Value, z: Value): Value {
  const isPositive = greater(x, 0);
  return cast(where(isPositive, mul(z, log(where(isPositive, x, 1))), 0), y.dtype);
}
