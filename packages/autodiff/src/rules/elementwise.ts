import {
  abs,
  add,
  cast,
  cos,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  mul,
  neg,
  not,
  pow,
  reciprocal,
  sigmoid,
  sign,
  sin,
  sub,
  sum,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { constantNumbers } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import type { GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** Differentiates `y = x`: `g` to `x`. */
const identityRule: GradientRule = (context) => [context.cotangent()];

/**
 * Differentiates `y = x` in another element type: `g` in the type of `x`. A second operand only names a type.
 */
const castRule: GradientRule = (context) => [cast(context.cotangent(), context.operand(0).dtype)];

/**
 * Differentiates dropout outside training, `y = x`: `g` to `x`.
 * @throws UnsupportedError in training mode, as the random mask is not an output that could be used again
 */
const dropoutRule: GradientRule = (context) => {
  const [training = 0] = context.settledNumbers(2) ?? [];
  if (training !== 0)
    context.refuseVariant("must not drop by itself, as its mask is not known again", "in training mode");
  return [context.cotangent()];
};

/**
 * Function that computes `g` times the derivative of `y = f(x)`, for a function `f` of one number without
 * attributes.
 */
type Chain = (g: Value, x: Value, y: Value) => Value;

const byChain =
  (chain: Chain): GradientRule =>
  (context) => [chain(context.cotangent(), context.operand(0), context.result())];

const square = (x: Value): Value => mul(x, x);

/** Derivative of the error function at 0. */
const ERF_SLOPE = 2 / Math.sqrt(Math.PI);

/**
 * Chains of functions of one number, by operator; `y` is used if the derivative is a simple expression of it.
 */
const CHAINS: Readonly<Record<string, Chain>> = {
  Abs: (g, x) => mul(g, sign(x)),
  Cos: (g, x) => neg(mul(g, sin(x))),
  Erf: (g, x) => mul(mul(g, exp(neg(square(x)))), ERF_SLOPE),
  Exp: (g, _, y) => mul(g, y),
  Log: (g, x) => div(g, x),
  Neg: (g) => neg(g),
  Reciprocal: (g, _, y) => neg(mul(g, square(y))),
  Sigmoid: (g, _, y) => mul(g, sub(y, square(y))),
  Sin: (g, x) => mul(g, cos(x)),
  Softplus: (g, x) => mul(g, sigmoid(x)),
  Softsign: (g, x) => mul(g, square(reciprocal(add(abs(x), 1)))),
  Sqrt: (g, _, y) => div(mul(g, 0.5), y),
  Tan: (g, _, y) => mul(g, add(square(y), 1)),
  Tanh: (g, _, y) => mul(g, sub(1, square(y))),
};

/**
 * Differentiates `z = x + y + ...`: `g` to each operand, summed over the axes along which it was broadcast.
 */
const addRule: GradientRule = (context) =>
  context.inputs.map((_, i) =>
    context.needs(i) ? reduceToShape(context.cotangent(), context.operand(i).shape) : undefined,
  );

/** Differentiates `z = x - y`: `g` to `x` and `-g` to `y`, summed where broadcast. */
const subRule: GradientRule = (context) => {
  const part = (i: number) => reduceToShape(context.cotangent(), context.operand(i).shape);
  return [context.needs(0) ? part(0) : undefined, context.needs(1) ? neg(part(1)) : undefined];
};

/** Differentiates `z = x y`: `g y` to `x` and `g x` to `y`, summed where broadcast. */
const mulRule: GradientRule = (context) =>
  [0, 1].map((i) =>
    context.needs(i)
      ? reduceToShape(mul(context.cotangent(), context.operand(1 - i)), context.operand(i).shape)
      : undefined,
  );

/** Differentiates `z = x / y`: `g / y` to `x` and `-g z / y` to `y`, summed where broadcast. */
const divRule: GradientRule = (context) => {
  const [x, y] = [context.operand(0), context.operand(1)];
  const quotient = div(context.cotangent(), y);
  return [
    context.needs(0) ? reduceToShape(quotient, x.shape) : undefined,
    context.needs(1) ? neg(reduceToShape(mul(quotient, context.result()), y.shape)) : undefined,
  ];
};

/**
 * Differentiates `z = x ** y`: `g y x ** (y - 1)` to `x`; to `y` `g z log(x)` where `x > 0`, else 0, as in
 * PyTorch and JAX.
 */
const powRule: GradientRule = (context) => {
  const [x, y, g] = [context.operand(0), context.operand(1), context.cotangent()];
  return [
    context.needs(0)
      ? reduceToShape(mul(g, slopeByBase(x, y, constantNumbers(context, 1))), x.shape)
      : undefined,
    context.needs(1) ? reduceToShape(mul(g, slopeByExponent(x, y, context.result())), y.shape) : undefined,
  ];
};

/**
 * Computes `y x ** (y - 1)`, in the simplest form if `exponents`, the numbers of a
 * constant `y`, is one number.
 */
function slopeByBase(x: Value, y: Value, exponents: readonly number[] = []): Value {
  const [exponent, ...others] = exponents;
  if (exponent !== undefined && others.length === 0) {
    if (exponent === 2) return mul(x, 2);
    if (exponent === 3) return mul(mul(x, x), 3);
    return exponent === 1 ? pow(x, 0) : mul(pow(x, exponent - 1), exponent);
  }
  const factor = cast(y, x.dtype);
  // 0 ** -1 is infinite, but a power of 0 has no slope.
  return where(equal(factor, 0), 0, mul(factor, pow(x, sub(factor, 1))));
}

function slopeByExponent(x: Value, y: Value, z: Value): Value {
  const isPositive = greater(x, 0);
  return cast(where(isPositive, mul(z, log(where(isPositive, x, 1))), 0), y.dtype);
}

/** Differentiates `z = (x + y + ...) / n`: `g / n` to each of the `n` operands, summed where broadcast. */
const meanRule: GradientRule = (context) => {
  const share = mul(context.cotangent(), 1 / context.inputs.length);
  return context.inputs.map((_, i) =>
    context.needs(i) ? reduceToShape(share, context.operand(i).shape) : undefined,
  );
};

/**
 * Differentiates the largest or smallest of several operands: `g` to the operand that is largest or smallest;
 * operands that tie share `g` evenly, as in JAX and PyTorch.
 */
const extremumRule: GradientRule = (context) => {
  const [g, z] = [context.cotangent(), context.result()];
  if (context.inputs.length === 1) return [g];
  const wins = context.inputs.map((_, i) => cast(equal(context.operand(i), z), z.dtype));
  const share = div(g, sum(wins));
  return wins.map((won, i) =>
    context.needs(i) ? reduceToShape(mul(share, won), context.operand(i).shape) : undefined,
  );
};

/**
 * Differentiates `y = min(max(x, low), high)`: `g` to `x` where it is not clipped, the bounds included, as in
 * PyTorch; elsewhere `g` to the bound that clips.
 */
const clipRule: GradientRule = (context) => {
  const [x, y, g] = [context.operand(0), context.result(), context.cotangent()];
  const toBound = (input: number, isClipped: (x: Value, bound: Value) => Value) => {
    if (!context.needs(input)) return undefined;
    const bound = context.operand(input);
    return reduceToShape(gate(g, isClipped(x, bound)), bound.shape);
  };
  return [context.needs(0) ? gate(g, equal(x, y)) : undefined, toBound(1, less), toBound(2, greater)];
};

/**
 * Differentiates `z = x` where a condition holds, else `y`: `g` to the operand that was
 * taken, summed where broadcast.
 */
const whereRule: GradientRule = (context) => {
  const [condition, g] = [context.operand(0), context.cotangent()];
  const part = (input: number, taken: () => Value) =>
    context.needs(input) ? reduceToShape(gate(g, taken()), context.operand(input).shape) : undefined;
  return [undefined, part(1, () => condition), part(2, () => not(condition))];
};

/** Rules of operators that compute each element from the corresponding elements of their operands. */
export const ELEMENTWISE_RULES: GradientRules = {
  ...Object.fromEntries(Object.entries(CHAINS).map(([op, chain]) => [op, byChain(chain)])),
  Add: addRule,
  Cast: castRule,
  CastLike: castRule,
  Clip: clipRule,
  Div: divRule,
  Dropout: dropoutRule,
  Identity: identityRule,
  Max: extremumRule,
  Mean: meanRule,
  Min: extremumRule,
  Mul: mulRule,
  Pow: powRule,
  Sub: subRule,
  Sum: addRule,
  Where: whereRule,
};
