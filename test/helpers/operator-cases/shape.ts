import { float, int, ints } from "@isthmus/graph/ir";
import { fixed, fixedTensor, type OperatorCase } from "./draw.ts";

export const SHAPE: readonly OperatorCase[] = [
  {
    op: "Shape",
    make: (draw) => ({
      inputs: [draw.normal(draw.shape(draw.between(1, 4)))],
      attributes: draw.pick([{}, { start: int(-1) }, { start: int(1), end: int(-1) }]),
    }),
  },
  { op: "Size", make: (draw) => ({ inputs: [draw.normal(draw.shape(3))] }) },
  {
    op: "Range",
    make: (draw) => ({
      inputs: [draw.between(-3, 3), draw.between(-2, 9), draw.pick([1, 2])].map((value) =>
        fixedTensor({ dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(value)) }),
      ),
    }),
  },
  ...(["f32", "i64", "bool"] as const).map(
    (dtype): OperatorCase => ({
      op: "ConstantOfShape",
      detail: dtype,
      make: (draw) => ({
        inputs: [fixed(...draw.shape(2))],
        attributes: { value: { type: "tensor", value: draw.whole([1], [1, 1], dtype) } },
      }),
    }),
  ),
  {
    op: "Constant",
    make: (draw) => ({
      inputs: [],
      attributes: draw.pick([
        { value: { type: "tensor" as const, value: draw.normal([2, 2]) } },
        { value_float: float(0.5) },
        { value_ints: ints([1, -2]) },
        { value_int: int(3) },
      ]),
    }),
  },
  {
    op: "EyeLike",
    make: (draw) => ({ inputs: [draw.normal([3, 4])], attributes: { k: int(draw.between(-2, 2)) } }),
  },
  { op: "NonZero", make: (draw) => ({ inputs: [draw.whole([3, 4], [0, 1], "f32")] }) },
  ...(
    [
      ["f32", "i64"],
      ["f32", "i32"],
      ["f32", "bool"],
      ["i64", "f32"],
      ["bool", "f32"],
      ["bool", "i64"],
      ["i64", "bool"],
      ["i64", "i32"],
    ] as const
  ).map(
    ([from, to]): OperatorCase => ({
      op: "Cast",
      detail: `${from} to ${to}`,
      make: (draw) => ({
        inputs: [
          from === "f32"
            ? draw.normal(draw.shape(2), 3)
            : draw.whole(draw.shape(2), [0, from === "bool" ? 1 : 3], from),
        ],
        attributes: { to: int({ f32: 1, i32: 6, i64: 7, bool: 9 }[to]) },
      }),
    }),
  ),
  { op: "Dropout", make: (draw) => ({ inputs: [draw.normal(draw.shape(2))], outputs: 2 }) },
];
