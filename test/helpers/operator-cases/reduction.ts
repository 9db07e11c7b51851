import { int, ints } from "@isthmus/graph/ir";
import { fixed, fixedTensor, type OperatorCase } from "./draw.ts";

const reduction = (op: string, opset: number, positive = false): OperatorCase => ({
  op,
  detail: `in operator set ${opset}`,
  opset,
  make: (draw) => {
    const rank = draw.between(1, 4);
    const shape = draw.shape(rank);
    const axes = [...Array(rank).keys()]
      .filter(() => draw.random.integer(2) === 0)
      .map((axis) => axis - rank);
    const asInput = opset >= (op === "ReduceSum" ? 13 : 18);
    const x = positive ? draw.positive(shape) : draw.normal(shape);
    const attributes = { keepdims: int(draw.between(0, 1)) };
    if (axes.length === 0) return { inputs: [x], attributes };
    if (asInput) return { inputs: [x, fixed(...axes)], attributes };
    return { inputs: [x], attributes: { ...attributes, axes: ints(axes) } };
  },
});

export const REDUCTION: readonly OperatorCase[] = [
  ...[
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
    "ReduceL1",
    "ReduceL2",
  ].flatMap((op) => [reduction(op, 17), reduction(op, 18)]),
  reduction("ReduceLogSum", 17, true),
  reduction("ReduceLogSumExp", 17),
  ...["ArgMax", "ArgMin"].map(
    (op): OperatorCase => ({
      op,
      make: (draw) => {
        const rank = draw.between(1, 3);
        return {
          inputs: [draw.whole(draw.shape(rank, 2, 4), [0, 3], "f32")],
          attributes: {
            axis: int(draw.between(-rank, rank - 1)),
            keepdims: int(draw.between(0, 1)),
            select_last_index: int(draw.between(0, 1)),
          },
        };
      },
    }),
  ),
  ...(["f32", "i64"] as const).map(
    (dtype): OperatorCase => ({
      op: "CumSum",
      detail: `of ${dtype}`,
      make: (draw) => ({
        inputs: [
          draw.whole(draw.shape(3), [-4, 4], dtype),
          fixedTensor({ dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(draw.between(-3, 2))) }),
        ],
        attributes: { exclusive: int(draw.between(0, 1)), reverse: int(draw.between(0, 1)) },
      }),
    }),
  ),
];
