import { float, string } from "../../ir/attributes.ts";
import type { Operand, PlainAttributes, Value } from "../graph-builder.ts";
import { add, erf, mul, sigmoid, tanh } from "./elementwise.ts";

function activate(op: string, x: Value, attributes: PlainAttributes = {}): Value {
  return x.builder.emit(op, [x], [{ dtype: x.dtype, shape: x.shape }], { attributes })[0] as Value;
}

/**
 * Computes `x Φ(x)`, with the normal distribution's `Φ` or, if approximate, with a hyperbolic tangent
 * instead.
 *
 * From operator set 20 on it is one operator, before that several.
 */
export function gelu(x: Value, { approximate = false }: { readonly approximate?: boolean } = {}): Value {
  if (x.builder.opset >= 20) {
    return activate("Gelu", x, { approximate: string(approximate ? "tanh" : "none") });
  }
  const inner = approximate
    ? tanh(mul(add(x, mul(mul(x, mul(x, x)), GELU_CUBIC)), GELU_SLOPE))
    : erf(mul(x, Math.SQRT1_2));
  return mul(mul(x, 0.5), add(inner, 1));
}

/** Slope at 0 of the argument of the hyperbolic tangent of the approximate `gelu`. */
export const GELU_SLOPE: number = Math.sqrt(2 / Math.PI);
/** Factor of the cube in that argument. */
export const GELU_CUBIC = 0.044715;

/** Computes `x sigmoid(x)`, also called swish. */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x));
}

/** Computes `log(1 + exp(x))`. */
export const softplus = (x: Value): Value => activate("Softplus", x);
/** Computes `x` where positive, else `alpha (exp(x) - 1)`. */
export const elu = (x: Value, alpha = 1): Value => activate("Elu", x, { alpha: float(alpha) });
/** Computes `x clip(x / 6 + 1 / 2, 0, 1)`. */
export const hardSwish = (x: Value): Value => activate("HardSwish", x);

/** Computes `clip(alpha x + beta, 0, 1)`. */
export const hardSigmoid = (x: Value, alpha = 0.2, beta = 0.5): Value =>
  activate("HardSigmoid", x, { alpha: float(alpha), beta: float(beta) });

/** Clips `x` to bounds, each of which may be left out. */
export function clip(x: Value, low?: Operand, high?: Operand): Value {
  const bound = (operand: Operand | undefined) =>
    typeof operand === "number" ? x.builder.scalar(operand, x.dtype) : operand;
  const bounds = high === undefined ? [bound(low)] : [bound(low), bound(high)];
  return x.builder.emit("Clip", [x, ...bounds], [{ dtype: x.dtype, shape: x.shape }])[0] as Value;
}
