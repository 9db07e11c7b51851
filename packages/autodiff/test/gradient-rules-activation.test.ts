import { div, gelu, type PlainAttributes, silu, type Value } from "@isthmus/graph/builder";
import { float, string } from "@isthmus/graph/ir";
import { anyShape, type Example, type RuleCase, testRules } from "../../../test/helpers/gradient-laws.ts";

/** A function of one number, as JavaScript computes it in f64. */
type Scalar = (x: number) => number;

interface Activation {
  readonly op?: string;
  readonly attributes?: PlainAttributes;
  readonly opset?: number;
  readonly of: Scalar;
  /** Whether the slope jumps within the arguments, so that differences of gradients in f32 say nothing. */
  readonly kinked?: boolean;
  /** What the argument is divided by, to stay clear of poles. */
  readonly damping?: number;
}

/** The error function by its Taylor series, exact to rounding for the arguments of these tests, at most 2.2. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const logistic: Scalar = (x) => 1 / (1 + Math.exp(-x));
const softplus: Scalar = (x) => Math.log1p(Math.exp(x));
const clip = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));
const expm1Below =
  (alpha: number, scale = 1): Scalar =>
  (x) =>
    x > 0 ? x : alpha * Math.expm1(x / scale);

/** onnxruntime computes these in f32 only: the reference is differenced in f64. */
function activation(
  name: string,
  { op = name, attributes = {}, of, opset = 21, kinked = false, damping = 1 }: Activation,
): RuleCase {
  return {
    opset,
    precision: "mixed",
    second: !kinked,
    build: ({ random, x }: Example): Value => {
      const given = x("x", anyShape(random, 1 + random.integer(3)));
      const input = damping === 1 ? given : div(given, damping);
      return input.builder.emit(op, [input], [{ dtype: input.dtype, shape: input.shape }], {
        attributes,
      })[0] as Value;
    },
    reference: (inputs) => [(inputs.get("x") as Float64Array).map((value) => of(value / damping))],
  };
}

const activations: Readonly<Record<string, Activation>> = {
  Erf: { of: erf },
  Gelu: { of: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)) },
  "Gelu by a hyperbolic tangent": {
    op: "Gelu",
    attributes: { approximate: string("tanh") },
    of: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  },
  LeakyRelu: { attributes: { alpha: float(0.25) }, of: (x) => (x > 0 ? x : 0.25 * x) },
  Elu: { attributes: { alpha: float(0.5) }, of: expm1Below(0.5) },
  Celu: { attributes: { alpha: float(1.5) }, of: expm1Below(1.5, 1.5) },
  Selu: { of: (x) => 1.0507009873554805 * expm1Below(1.6732632423543772)(x) },
  Softplus: { of: softplus },
  Softsign: { of: (x) => x / (1 + Math.abs(x)) },
  Mish: { of: (x) => x * Math.tanh(softplus(x)) },
  Swish: { opset: 24, of: (x) => x * logistic(x) },
  "Swish with a factor": {
    op: "Swish",
    opset: 24,
    attributes: { alpha: float(1.5) },
    of: (x) => x * logistic(1.5 * x),
  },
  HardSigmoid: { of: (x) => clip(0.2 * x + 0.5, 0, 1) },
  "HardSigmoid beyond its bounds": {
    op: "HardSigmoid",
    kinked: true,
    attributes: { alpha: float(0.5) },
    of: (x) => clip(0.5 * x + 0.5, 0, 1),
  },
  HardSwish: { of: (x) => x * clip(x / 6 + 0.5, 0, 1) },
  ThresholdedRelu: { kinked: true, attributes: { alpha: float(0.7) }, of: (x) => (x > 0.7 ? x : 0) },
  Tan: { damping: 3, of: Math.tan },
};

testRules(
  Object.fromEntries(Object.entries(activations).map(([name, given]) => [name, activation(name, given)])),
);

// Of which builder functions make activations where the operator set has none.
testRules({
  silu: ({ x }) => silu(x("x", [2, 3])),
  "gelu from its parts, by a hyperbolic tangent": {
    opset: 17,
    build: ({ x }) => gelu(x("x", [2, 3]), { approximate: true }),
  },
  "gelu from its parts": {
    opset: 17,
    precision: "mixed",
    build: ({ x }) => gelu(x("x", [2, 3])),
    reference: (inputs) => [
      (inputs.get("x") as Float64Array).map((value) => (value / 2) * (1 + erf(value * Math.SQRT1_2))),
    ],
  },
  PRelu: {
    precision: "mixed",
    second: false,
    build: ({ x, b, dtype }) =>
      b.emit("PRelu", [x("x", [2, 3]), x("slope", [3])], [{ dtype, shape: [2, 3] }]),
    reference: (inputs) => {
      const slope = inputs.get("slope") as Float64Array;
      return [
        (inputs.get("x") as Float64Array).map((value, i) =>
          value > 0 ? value : value * (slope[i % 3] ?? 0),
        ),
      ];
    },
  },
});
