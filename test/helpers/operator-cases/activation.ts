import { float, int, string } from "@isthmus/graph/ir";
import { type OperatorCase, unary } from "./draw.ts";

const alongAxis = (op: string, opset: number): OperatorCase => ({
  op,
  detail: `in operator set ${opset}`,
  opset,
  make: (draw) => {
    const rank = draw.between(2, 4);
    const axis = int(opset < 13 ? draw.between(0, rank - 1) : draw.between(-rank, rank - 1));
    return { inputs: [draw.normal(draw.shape(rank), 3)], attributes: { axis } };
  },
});

export const ACTIVATION: readonly OperatorCase[] = [
  ...["Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Softsign", "Selu"].map((op) => unary(op)),
  { ...unary("Mish"), opset: 18 },
  ...["LeakyRelu", "Elu", "ThresholdedRelu"].map((op) =>
    unary(op, (draw) => ({ alpha: float(0.1 + draw.random.uniform()) })),
  ),
  unary("HardSigmoid", (draw) => ({
    alpha: float(draw.random.uniform()),
    beta: float(draw.random.uniform()),
  })),
  { ...unary("Gelu", (draw) => ({ approximate: string(draw.pick(["none", "tanh"])) })), opset: 20 },
  {
    op: "PRelu",
    make: (draw) => {
      const shape = draw.shape(3);
      return { inputs: [draw.normal(shape), draw.normal(shape.slice(1))] };
    },
  },
  ...["Softmax", "LogSoftmax"].flatMap((op) => [alongAxis(op, 17), alongAxis(op, 11)]),
];
