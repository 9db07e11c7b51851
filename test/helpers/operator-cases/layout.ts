import type { Tensor } from "@isthmus/core";
import { int, ints, string } from "@isthmus/graph/ir";
import { type Draw, fixed, fixedTensor, type NodeCase, type OperatorCase } from "./draw.ts";

const DTYPES = ["f32", "i64", "bool"] as const;

/** A case for numbers, whole numbers and truth values each. */
export const ofEach = (
  op: string,
  make: (draw: Draw, one: (shape: readonly number[]) => Tensor) => NodeCase,
  opset = 17,
): OperatorCase[] =>
  DTYPES.map((dtype) => ({
    op,
    opset,
    detail: `of ${dtype} in operator set ${opset}`,
    make: (draw) =>
      make(draw, (shape) =>
        dtype === "f32" ? draw.normal(shape) : draw.whole(shape, [0, dtype === "bool" ? 1 : 9], dtype),
      ),
  }));

const shuffled = (draw: Draw, rank: number): number[] => draw.random.shuffleInPlace([...Array(rank).keys()]);

export const LAYOUT: readonly OperatorCase[] = [
  ...ofEach("Reshape", (draw, one) => ({
    inputs: [one([draw.between(1, 3), 4, 6]), fixed(0, -1, draw.pick([2, 3]))],
  })),
  ...ofEach("Flatten", (draw, one) => ({
    inputs: [one(draw.shape(4))],
    attributes: { axis: int(draw.between(-4, 4)) },
  })),
  ...ofEach("Transpose", (draw, one) => {
    const rank = draw.between(1, 5);
    return { inputs: [one(draw.shape(rank))], attributes: { perm: ints(shuffled(draw, rank)) } };
  }),
  ...ofEach("Transpose", (draw, one) => ({ inputs: [one(draw.shape(3))] }), 13),
  ...ofEach("Squeeze", (draw, one) => ({
    inputs:
      draw.random.integer(2) === 0 ? [one([1, 3, 1, 2])] : [one([1, 3, 1, 2]), fixed(draw.pick([0, -2]))],
  })),
  ...ofEach("Squeeze", (_, one) => ({ inputs: [one([1, 3, 1, 2])], attributes: { axes: ints([0, 2]) } }), 11),
  ...ofEach("Unsqueeze", (draw, one) => ({ inputs: [one(draw.shape(2)), fixed(draw.pick([0, 1, 2]), -1)] })),
  ...ofEach("Expand", (draw, one) => {
    const shape = draw.shape(3);
    return { inputs: [one(draw.broadcast(shape)), fixed(...shape)] };
  }),
  ...ofEach("Concat", (draw, one) => {
    const shape = draw.shape(3, 0, 3);
    const axis = draw.between(0, 2);
    return {
      inputs: Array.from({ length: draw.between(1, 3) }, () =>
        one(shape.map((extent, i) => (i === axis ? draw.between(0, 3) : extent))),
      ),
      attributes: { axis: int(draw.pick([axis, axis - 3])) },
    };
  }),
  ...ofEach("Split", (draw, one) => {
    const axis = draw.between(0, 2);
    const parts = [2, draw.between(1, 3)];
    const shape = draw.shape(3).map((extent, i) => (i === axis ? parts[0]! + parts[1]! : extent));
    return { inputs: [one(shape), fixed(...parts)], attributes: { axis: int(axis) }, outputs: 2 };
  }),
  ...ofEach(
    "Split",
    (draw, one) => ({
      inputs: [one([draw.between(1, 3), draw.between(4, 7)])],
      attributes: { axis: int(-1), num_outputs: int(2) },
      outputs: 2,
    }),
    18,
  ),
  ...ofEach("Slice", (draw, one) => ({
    inputs: [
      one([5, 6]),
      fixed(draw.between(-6, 4), draw.between(-6, 5)),
      fixed(draw.between(-6, 9), draw.pick([3, 2 ** 40])),
      fixed(0, -1),
      fixed(draw.pick([1, 2, 3]), draw.pick([1, 2])),
    ],
  })),
  ...ofEach("Slice", (draw, one) => ({
    inputs: [
      one([7]),
      fixed(draw.between(-9, 9)),
      fixed(draw.pick([-(2 ** 40), 2, -3])),
      fixed(0),
      fixed(draw.pick([-1, -2, -3])),
    ],
  })),
  {
    op: "Pad",
    make: (draw) => ({
      inputs: [draw.normal([3, 4]), fixed(...draw.shape(4, 0, 2)), fixedTensor(draw.normal([]))],
    }),
  },
  {
    op: "Pad",
    detail: "that cuts",
    make: (draw) => ({ inputs: [draw.normal([3, 4]), fixed(...draw.shape(4, -1, 2))] }),
  },
  ...["reflect", "edge"].map(
    (mode): OperatorCase => ({
      op: "Pad",
      detail: mode,
      make: (draw) => ({
        inputs: [draw.normal([3, 4]), fixed(...draw.shape(4, 0, 2))],
        attributes: { mode: string(mode) },
      }),
    }),
  ),
  {
    op: "Pad",
    detail: "wrap",
    opset: 19,
    make: (draw) => ({
      inputs: [draw.normal([3, 4]), fixed(...draw.shape(4, 0, 2))],
      attributes: { mode: string("wrap") },
    }),
  },
  { op: "Tile", make: (draw) => ({ inputs: [draw.normal(draw.shape(3)), fixed(...draw.shape(3))] }) },
  ...ofEach("Trilu", (draw, one) => ({
    inputs: [
      one(draw.shape(3, 2, 4)),
      fixedTensor({ dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(draw.between(-2, 2))) }),
    ],
    attributes: { upper: int(draw.between(0, 1)) },
  })),
  ...["DCR", "CRD"].map(
    (mode): OperatorCase => ({
      op: "DepthToSpace",
      detail: mode,
      make: (draw) => ({
        inputs: [draw.normal([2, 8, 2, 3])],
        attributes: { blocksize: int(2), mode: string(mode) },
      }),
    }),
  ),
  {
    op: "SpaceToDepth",
    make: (draw) => ({ inputs: [draw.normal([2, 3, 4, 6])], attributes: { blocksize: int(2) } }),
  },
];
