import { int, string } from "@isthmus/graph/ir";
import { fixed, fixedTensor, type OperatorCase } from "./draw.ts";

import { ofEach } from "./layout.ts";
export const GATHER: readonly OperatorCase[] = [
  ...ofEach("Gather", (draw, one) => {
    const axis = draw.between(0, 2);
    return {
      inputs: [one([4, 4, 4]), draw.whole(draw.shape(draw.between(0, 2)), [-4, 3])],
      attributes: { axis: int(axis) },
    };
  }),
  ...ofEach("GatherElements", (draw, one) => {
    const axis = draw.between(0, 2);
    const shape = draw.shape(3, 2, 4);
    return {
      inputs: [
        one(shape),
        draw.whole(
          shape.map((extent, i) => (i === axis ? 3 : extent)),
          [-(shape[axis] ?? 1), (shape[axis] ?? 1) - 1],
        ),
      ],
      attributes: { axis: int(axis) },
    };
  }),
  ...ofEach("GatherND", (draw, one) => ({
    inputs: [one([3, 3, 3]), draw.whole([...draw.shape(draw.between(0, 2)), draw.between(1, 3)], [-3, 2])],
  })),
  {
    op: "ScatterElements",
    detail: "add",
    opset: 18,
    make: (draw) => {
      const axis = draw.between(0, 1);
      return {
        inputs: [draw.normal([3, 3]), draw.whole([3, 3], [-3, 2]), draw.normal([3, 3])],
        attributes: { axis: int(axis), reduction: string("add") },
      };
    },
  },
  {
    op: "ScatterElements",
    opset: 18,
    make: (draw) => ({
      inputs: [
        draw.normal([3, 4]),
        { dtype: "i64", shape: [3, 2], data: BigInt64Array.of(0n, 3n, 2n, -3n, 1n, 0n) },
        draw.normal([3, 2]),
      ],
      attributes: { axis: int(1) },
    }),
  },
  {
    op: "ScatterND",
    detail: "add",
    opset: 18,
    make: (draw) => ({
      inputs: [draw.normal([3, 4, 2]), draw.whole([5, draw.pick([2])], [-3, 2]), draw.normal([5, 2])],
      attributes: { reduction: string("add") },
    }),
  },
  {
    op: "ScatterND",
    opset: 18,
    make: (draw) => ({
      inputs: [
        draw.normal([4, 3]),
        { dtype: "i64", shape: [2, 1], data: BigInt64Array.of(1n, -1n) },
        draw.normal([2, 3]),
      ],
    }),
  },
  {
    op: "OneHot",
    make: (draw) => ({
      inputs: [
        draw.whole(draw.shape(2), [-4, 3]),
        fixedTensor({ dtype: "i64", shape: [], data: BigInt64Array.of(4n) }),
        fixedTensor(draw.normal([2])),
      ],
      attributes: { axis: int(draw.between(-1, 2)) },
    }),
  },
  {
    op: "TopK",
    make: (draw) => {
      const axis = draw.between(0, 1);
      return {
        inputs: [draw.normal([4, 5]), fixed(draw.between(1, 4))],
        attributes: { axis: int(axis), largest: int(draw.between(0, 1)) },
        outputs: 2,
      };
    },
  },
];
