import { add, div, exp, greater, min, mul, not, type Value } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import { cotangent, type GradientContext, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = above x where x > 0, else below (exp(x / scale) - 1)`. */
interface Exponential {
  readonly above: number;
  readonly below: number;
  readonly scale: number;
}

function chain(context: GradientContext, { above, below, scale }: Exponential): [Value] {
  const [g, x] = [cotangent(context), operand(context, 0)];
  const positive = greater(x, 0);
  // Of what is positive no exponential is taken, which could be infinite.
  const exponent = min(scale === 1 ? x : div(x, scale), 0);
  const slope = mul(exp(exponent), below / scale);
  return [add(gate(mul(g, above), positive), gate(mul(g, slope), not(positive)))];
}

/** `y = x where x > 0, else alpha (exp(x) - 1)`. */
export const eluRule: GradientRule = (context) =>
  chain(context, { above: 1, below: floatAttribute(context.node, "alpha", 1), scale: 1 });

/** `y = x where x > 0, else alpha (exp(x / alpha) - 1)`. */
export const celuRule: GradientRule = (context) => {
  const alpha = floatAttribute(context.node, "alpha", 1);
  return chain(context, { above: 1, below: alpha, scale: alpha });
};

/** `alpha` and `gamma` of ONNX's Selu, the fixed point of Klambauer et al., Self-normalizing neural networks, 2017. */
const SELU = { alpha: 1.6732631921768188, gamma: 1.0507010221481323 } as const;

/** `y = gamma x where x > 0, else gamma alpha (exp(x) - 1)`. */
export const seluRule: GradientRule = (context) => {
  const gamma = floatAttribute(context.node, "gamma", SELU.gamma);
  const alpha = floatAttribute(context.node, "alpha", SELU.alpha);
  return chain(context, { above: gamma, below: gamma * alpha, scale: 1 });
};
