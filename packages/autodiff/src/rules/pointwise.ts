import {
  abs,
  add,
  cos,
  div,
  exp,
  mul,
  neg,
  reciprocal,
  sigmoid,
  sign,
  sin,
  sub,
  type Value,
} from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";

/** Gradient `g` times the derivative of `y = f(x)`, for a function applied to every element. */
type Chain = (g: Value, x: Value, y: Value) => Value;

const pointwise =
  (chain: Chain): GradientRule =>
  (context) => [chain(cotangent(context), operand(context, 0), result(context))];

const square = (x: Value): Value => mul(x, x);

/** `erf' (0)`. */
const ERF_SLOPE = 2 / Math.sqrt(Math.PI);

/** Rules of functions of one number without attributes, by operator. */
export const POINTWISE_RULES: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries<Chain>({
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
  }).map(([op, chain]): [string, GradientRule] => [op, pointwise(chain)]),
);
