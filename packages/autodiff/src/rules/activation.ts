import {
  abs,
  add,
  and,
  clip,
  div,
  erf,
  exp,
  GELU_CUBIC,
  GELU_SLOPE,
  greater,
  less,
  lessOrEqual,
  min,
  mul,
  not,
  sigmoid,
  softplus,
  sub,
  tanh,
  type Value,
} from "@isthmus/graph/builder";
import { floatAttribute, stringAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * Differentiates `y = max(x, 0)`: `g` where `x > 0`, else 0, at 0 too, as in PyTorch and TensorFlow. It reads
 * `y` instead of `x`, so that `x` need not stay in memory.
 */
const reluRule: GradientRule = (context) => [gate(context.cotangent(), greater(context.result(), 0))];

/** Differentiates `y = x` where `x > 0`, else `slope x`: `g` or `slope g`. */
const leakyReluRule: GradientRule = (context) => {
  const slope = floatAttribute(context.node, "alpha", 0.01);
  const g = context.cotangent();
  const passes = gate(mul(g, 1 - slope), greater(context.operand(0), 0));
  return [add(passes, mul(g, slope))];
};

/**
 * Differentiates `y = x` where `x > 0`, else `slope x`, with a slope that is an operand: `g` or `g slope` to
 * `x`; `g x` to the slope where it was used, summed where it was broadcast.
 */
const pReluRule: GradientRule = (context) => {
  const [x, slope] = [context.operand(0), context.operand(1)];
  const g = context.cotangent();
  const below = gate(g, lessOrEqual(x, 0));
  return [
    context.needs(0) ? sub(g, mul(below, sub(1, slope))) : undefined,
    context.needs(1) ? reduceToShape(mul(below, x), slope.shape) : undefined,
  ];
};

/** Differentiates `y = x` where `x > alpha`, else 0: `g` where `x > alpha`, else 0. */
const thresholdedReluRule: GradientRule = (context) => [
  gate(context.cotangent(), greater(context.operand(0), floatAttribute(context.node, "alpha", 1))),
];

/** Factors of `y = above x where x > 0, else below (exp(x / scale) - 1)`. */
interface ExponentialUnit {
  readonly above: number;
  readonly below: number;
  readonly scale: number;
}

/**
 * Differentiates an {@link ExponentialUnit}: `g above` where `x > 0`, else `g below / scale exp(x / scale)`.
 */
function exponentialUnit(context: GradientContext, { above, below, scale }: ExponentialUnit): [Value] {
  const [g, x] = [context.cotangent(), context.operand(0)];
  const positive = greater(x, 0);
  // The exponential of a positive number is not computed: it could be infinite, and 0 times infinity is NaN.
  const exponent = min(scale === 1 ? x : div(x, scale), 0);
  const slope = mul(exp(exponent), below / scale);
  return [add(gate(mul(g, above), positive), gate(mul(g, slope), not(positive)))];
}

/** Differentiates `y = x` where `x > 0`, else `alpha (exp(x) - 1)`. */
const eluRule: GradientRule = (context) =>
  exponentialUnit(context, { above: 1, below: floatAttribute(context.node, "alpha", 1), scale: 1 });

/** Differentiates `y = x` where `x > 0`, else `alpha (exp(x / alpha) - 1)`. */
const celuRule: GradientRule = (context) => {
  const alpha = floatAttribute(context.node, "alpha", 1);
  return exponentialUnit(context, { above: 1, below: alpha, scale: alpha });
};

/**
 * Default attributes of ONNX's Selu: the fixed point of Klambauer et al.,
 * Self-normalizing neural networks, 2017.
 */
const SELU = { alpha: 1.6732631921768188, gamma: 1.0507010221481323 } as const;

/** Differentiates `y = gamma x` where `x > 0`, else `gamma alpha (exp(x) - 1)`. */
const seluRule: GradientRule = (context) => {
  const gamma = floatAttribute(context.node, "gamma", SELU.gamma);
  const alpha = floatAttribute(context.node, "alpha", SELU.alpha);
  return exponentialUnit(context, { above: gamma, below: gamma * alpha, scale: 1 });
};

/** Density of the standard normal distribution at 0. */
const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/**
 * Differentiates `y = x Φ(x)`: `g (Φ(x) + x φ(x))`, `Φ` being the distribution and `φ` the density of the
 * standard normal distribution; or the approximation of `Φ` by a hyperbolic tangent.
 */
const geluRule: GradientRule = (context) => {
  const x = context.operand(0);
  const isApproximate = stringAttribute(context.node, "approximate", "none") === "tanh";
  return [mul(context.cotangent(), isApproximate ? approximateGeluSlope(x) : geluSlope(x))];
};

function geluSlope(x: Value): Value {
  const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(mul(x, x), -0.5)), DENSITY);
  return add(distribution, mul(x, density));
}

/** Computes `(1 + tanh u) / 2 + x (1 - tanh² u) / 2 * a (1 + 3 b x²)`, with `u = a (x + b x³)`. */
function approximateGeluSlope(x: Value): Value {
  const squared = mul(x, x);
  const curve = tanh(mul(x, add(mul(squared, GELU_SLOPE * GELU_CUBIC), GELU_SLOPE)));
  const rise = mul(x, add(mul(squared, 1.5 * GELU_SLOPE * GELU_CUBIC), 0.5 * GELU_SLOPE));
  return add(add(mul(curve, 0.5), 0.5), mul(rise, sub(1, mul(curve, curve))));
}

/**
 * Differentiates `y = clip(alpha x + beta, 0, 1)`: `alpha g` strictly between the
 * bounds, else 0, as in PyTorch.
 */
const hardSigmoidRule: GradientRule = (context) => {
  const y = context.result();
  const inside = and(greater(y, 0), less(y, 1));
  return [gate(mul(context.cotangent(), floatAttribute(context.node, "alpha", 0.2)), inside)];
};

/**
 * Differentiates `y = x clip(x / 6 + 1 / 2, 0, 1)`: `g (x / 3 + 1 / 2)` where `|x| < 3`, `g` above, 0 below.
 */
const hardSwishRule: GradientRule = (context) => {
  const x = context.operand(0);
  const share = clip(add(div(x, 6), 0.5), 0, 1);
  return [mul(context.cotangent(), add(share, gate(div(x, 6), less(abs(x), 3))))];
};

/** Differentiates `y = x t` with `t = tanh(softplus(x))`: `g (t + x (1 - t²) sigmoid(x))`. */
const mishRule: GradientRule = (context) => {
  const x = context.operand(0);
  const share = tanh(softplus(x));
  const rise = mul(mul(x, sigmoid(x)), sub(1, mul(share, share)));
  return [mul(context.cotangent(), add(share, rise))];
};

/** Differentiates `y = x s` with `s = sigmoid(alpha x)`: `g (s + alpha y (1 - s))`. */
const swishRule: GradientRule = (context) => {
  const [x, y] = [context.operand(0), context.result()];
  const alpha = floatAttribute(context.node, "alpha", 1);
  const share = sigmoid(alpha === 1 ? x : mul(x, alpha));
  const rise = mul(alpha === 1 ? y : mul(y, alpha), sub(1, share));
  return [mul(context.cotangent(), add(share, rise))];
};

/**
 * Rules of activation functions with attributes or a kink; other activation functions are functions of one
 * number in `elementwise.ts`.
 */
export const ACTIVATION_RULES: GradientRules = {
  Celu: celuRule,
  Elu: eluRule,
  Gelu: geluRule,
  HardSigmoid: hardSigmoidRule,
  HardSwish: hardSwishRule,
  LeakyRelu: leakyReluRule,
  Mish: mishRule,
  PRelu: pReluRule,
  Relu: reluRule,
  Selu: seluRule,
  Swish: swishRule,
  ThresholdedRelu: thresholdedReluRule,
};
