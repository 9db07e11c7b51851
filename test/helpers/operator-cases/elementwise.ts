import type { DType } from "@isthmus/core";
import type { Attribute } from "@isthmus/graph";
import { float, int } from "@isthmus/graph/ir";
import { fixedTensor, type OperatorCase, unary } from "./draw.ts";

const binary = (op: string, kind: "normal" | "positive" = "normal"): OperatorCase => ({
  op,
  make: (draw) => {
    const shape = draw.shape(draw.between(1, 4));
    const operands = [draw[kind](shape), draw[kind](draw.broadcast(shape))];
    return { inputs: draw.random.integer(2) === 0 ? operands : operands.reverse() };
  },
});

const wholeBinary = (
  op: string,
  dtype: DType,
  low = -9,
  attributes: Record<string, Attribute> = {},
): OperatorCase => ({
  op,
  detail: `of ${dtype}${Object.keys(attributes)}`,
  make: (draw) => {
    const shape = draw.shape(draw.between(1, 3));
    const divisor = draw.whole(draw.broadcast(shape), [1, 5], dtype);
    if (low < 0)
      divisor.data.forEach((value, i) => {
        divisor.data[i] = draw.random.integer(2) === 0 ? value : -value;
      });
    return { inputs: [draw.whole(shape, [low, 9], dtype), divisor], attributes };
  },
});

const truthBinary = (op: string): OperatorCase => ({
  op,
  detail: "of truth values",
  make: (draw) => {
    const shape = draw.shape(2);
    return { inputs: [draw.truth(shape), draw.truth(draw.broadcast(shape))] };
  },
});

export const ELEMENTWISE: readonly OperatorCase[] = [
  ...["Add", "Sub", "Mul", "Max", "Min", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map(
    (op) => binary(op),
  ),
  binary("Div", "positive"),
  binary("Pow", "positive"),
  ...["Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "Equal", "Greater", "Less"].map((op) =>
    wholeBinary(op, "i64"),
  ),
  wholeBinary("Div", "i32"),
  wholeBinary("Pow", "i64", 0),
  wholeBinary("Mod", "i64", -9, { fmod: int(1) }),
  ...["And", "Or", "Xor", "Equal"].map(truthBinary),
  ...[
    "Neg",
    "Abs",
    "Sign",
    "Exp",
    "Floor",
    "Ceil",
    "Round",
    "Sin",
    "Cos",
    "Tan",
    "Atan",
    "Sinh",
    "Cosh",
    "Erf",
    "Identity",
  ].map((op) => unary(op)),
  ...["Log", "Sqrt", "Reciprocal"].map((op) => unary(op, () => ({}), true)),
  ...["Neg", "Abs", "Sign", "Identity"].map(
    (op): OperatorCase => ({
      op,
      detail: "of i64",
      make: (draw) => ({ inputs: [draw.whole(draw.shape(2), [-9, 9])] }),
    }),
  ),
  ...["Sum", "Mean", "Max", "Min"].map(
    (op): OperatorCase => ({
      op,
      detail: "of several",
      make: (draw) => {
        const shape = draw.shape(3);
        return {
          inputs: Array.from({ length: draw.between(1, 4) }, () => draw.normal(draw.broadcast(shape))),
        };
      },
    }),
  ),
  {
    op: "Clip",
    make: (draw) => ({
      inputs: [
        draw.normal(draw.shape(3)),
        fixedTensor(draw.normal([], 0.1)),
        draw.random.integer(2) === 0 ? undefined : fixedTensor(draw.positive([])),
      ],
    }),
  },
  {
    op: "Clip",
    opset: 6,
    detail: "by attributes",
    make: (draw) => ({
      inputs: [draw.normal(draw.shape(3))],
      attributes: { min: float(0), max: float(draw.random.uniform()) },
    }),
  },
  { op: "Not", make: (draw) => ({ inputs: [draw.truth(draw.shape(3))] }) },
  {
    op: "IsNaN",
    make: (draw) => {
      const x = draw.normal([6]);
      x.data[2] = Number.NaN;
      return { inputs: [x] };
    },
  },
  {
    op: "IsInf",
    make: (draw) => {
      const x = draw.normal([6]);
      x.data[2] = Number.NEGATIVE_INFINITY;
      x.data[1] = Number.POSITIVE_INFINITY;
      return { inputs: [x], attributes: { detect_negative: int(draw.between(0, 1)) } };
    },
  },
  ...(["f32", "i64"] as const).map(
    (dtype): OperatorCase => ({
      op: "Where",
      detail: `of ${dtype}`,
      make: (draw) => {
        const shape = draw.shape(3);
        const one = () =>
          dtype === "f32"
            ? draw.normal(draw.broadcast(shape))
            : draw.whole(draw.broadcast(shape), [0, 1], dtype);
        return { inputs: [draw.truth(draw.broadcast(shape)), one(), one()] };
      },
    }),
  ),
];
