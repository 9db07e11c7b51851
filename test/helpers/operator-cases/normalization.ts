import type { Tensor } from "@isthmus/core";
import { float, int } from "@isthmus/graph/ir";
import type { Draw, OperatorCase } from "./draw.ts";

const image = (draw: Draw, channels: number): Tensor =>
  draw.normal([3, channels, ...draw.shape(draw.between(0, 2))]);

const channelwise = (draw: Draw, channels: number, count: number): Tensor[] =>
  Array.from({ length: count }, () => draw.positive([channels]));

export const NORMALIZATION: readonly OperatorCase[] = [
  {
    op: "BatchNormalization",
    make: (draw) => ({
      inputs: [image(draw, 4), ...channelwise(draw, 4, 4)],
      attributes: { epsilon: float(draw.pick([1e-5, 1e-2])) },
    }),
  },
  {
    op: "BatchNormalization",
    detail: "in training",
    make: (draw) => ({
      inputs: [draw.normal([3, 4, 2, 2]), ...channelwise(draw, 4, 4)],
      attributes: { training_mode: int(1), momentum: float(draw.pick([0.9, 0.5])) },
      outputs: 3,
    }),
  },
  {
    op: "LayerNormalization",
    make: (draw) => {
      const shape = draw.shape(3, 2, 4);
      const axis = draw.between(-2, 2);
      const normed = shape.slice(axis);
      return {
        inputs: [
          draw.normal(shape),
          draw.normal(normed),
          ...(draw.random.integer(2) === 0 ? [] : [draw.normal(normed)]),
        ],
        attributes: { axis: int(axis), epsilon: float(1e-3) },
        outputs: 3,
      };
    },
  },
  {
    op: "RMSNormalization",
    opset: 23,
    make: (draw) => {
      const shape = draw.shape(3, 2, 4);
      return {
        inputs: [draw.normal(shape), draw.normal(shape.slice(-1))],
        attributes: { epsilon: float(1e-3) },
      };
    },
  },
  {
    op: "GroupNormalization",
    opset: 21,
    make: (draw) => ({
      inputs: [image(draw, 6), ...channelwise(draw, 6, 2)],
      attributes: { num_groups: int(draw.pick([1, 2, 3])) },
    }),
  },
  {
    op: "GroupNormalization",
    opset: 18,
    detail: "by groups",
    make: (draw) => ({
      inputs: [draw.normal([2, 6, 3, 3]), ...channelwise(draw, 3, 2)],
      attributes: { num_groups: int(3) },
    }),
  },
  {
    op: "InstanceNormalization",
    make: (draw) => ({ inputs: [draw.normal([2, 3, 4, 2]), ...channelwise(draw, 3, 2)] }),
  },
  {
    op: "LpNormalization",
    make: (draw) => ({
      inputs: [draw.normal(draw.shape(3, 2, 4))],
      attributes: { axis: int(draw.between(-3, 2)), p: int(draw.between(1, 2)) },
    }),
  },
];
