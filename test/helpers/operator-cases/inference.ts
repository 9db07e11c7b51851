import { sizeOf } from "@isthmus/core";
import { float, int, ints, string } from "@isthmus/graph/ir";
import { fixed, fixedTensor, type OperatorCase } from "./draw.ts";

/** Operators and uses of them that onnxruntime computes and TensorFlow.js does not. */
export const INFERENCE_CASES: readonly OperatorCase[] = [
  {
    op: "CastLike",
    detail: "a number like a tensor",
    make: (draw) => ({ inputs: [draw.normal([]), draw.normal(draw.shape(2, 2, 4))] }),
  },
  {
    op: "CastLike",
    detail: "a tensor like another of its shape",
    make: (draw) => {
      const shape = draw.shape(2, 2, 4);
      return { inputs: [draw.normal(shape), draw.normal(shape)] };
    },
  },
  ...["...i,ij->...j", "i...,i->...", "...,...->...", "...ij,jk", "b...d,b...d->b..."].map(
    (equation): OperatorCase => ({
      op: "Einsum",
      detail: equation,
      make: (draw) => {
        const extents = new Map([..."bijkd"].map((letter) => [letter, draw.between(1, 4)]));
        const covered = draw.shape(draw.between(0, 2));
        const shapeOf = (term: string): number[] =>
          (term.match(/\.\.\.|[a-z]/g) ?? []).flatMap((name) =>
            name === "..." ? covered : extents.get(name)!,
          );
        const terms = equation.split("->")[0]!.split(",");
        return {
          inputs: terms.map((term) => draw.normal(shapeOf(term))),
          attributes: { equation: string(equation) },
        };
      },
    }),
  ),
  {
    op: "Resize",
    detail: "by scales, one of which keeps the extent",
    make: (draw) => ({
      inputs: [
        draw.normal([1, 3, 3, 4]),
        undefined,
        fixedTensor({
          dtype: "f32",
          shape: [4],
          data: Float32Array.of(1, draw.pick([1, 1.3]), draw.pick([1.3, 2]), draw.pick([1, 2])),
        }),
      ],
      attributes: { mode: string(draw.pick(["nearest", "linear"])) },
    }),
  },
  {
    op: "Resize",
    detail: "of some axes to sizes",
    opset: 18,
    make: (draw) => ({
      inputs: [
        draw.normal([2, 3, 4, 4]),
        undefined,
        undefined,
        fixed(draw.between(2, 6), draw.between(2, 6)),
      ],
      attributes: { mode: string("nearest"), axes: ints([3, 2]) },
    }),
  },
  {
    op: "Pad",
    detail: "of some axes",
    opset: 18,
    make: (draw) => ({
      inputs: [
        draw.normal([3, 2, 4]),
        fixed(...draw.shape(4, -1, 1)),
        fixedTensor(draw.normal([])),
        fixed(
          ...draw.pick([
            [0, 2],
            [-1, 0],
          ]),
        ),
      ],
    }),
  },
  {
    op: "Pad",
    detail: "that shifts",
    make: (draw) => ({
      inputs: [
        draw.normal([3, 4]),
        fixed(
          ...draw.pick([
            [-1, 0, 1, 0],
            [0, 2, 0, -2],
          ]),
        ),
      ],
    }),
  },
  {
    op: "ReduceSum",
    detail: "of no axes, which are all",
    make: (draw) => ({ inputs: [draw.normal([3, 4]), fixed()], attributes: { keepdims: int(1) } }),
  },
  {
    op: "MeanVarianceNormalization",
    make: (draw) => ({
      inputs: [draw.normal([2, 3, 2, 4])],
      attributes: { axes: ints(draw.pick([[0, 2, 3], [1]])) },
    }),
  },
  ...["LpPool", "GlobalLpPool"].map(
    (op): OperatorCase => ({
      op,
      make: (draw) => ({
        inputs: [draw.normal([2, 3, 5, 4])],
        attributes: { p: int(2), ...(op === "LpPool" ? { kernel_shape: ints([2, 2]) } : {}) },
      }),
    }),
  ),
  {
    op: "ScatterND",
    detail: "of one number, added, some places twice",
    make: (draw) => {
      const depth = draw.between(1, 2);
      const updates = depth === 1 ? [5, 3] : [5];
      const data = new Float32Array(sizeOf(updates)).fill(0.5);
      return {
        inputs: [
          draw.normal([4, 3]),
          fixedTensor(draw.whole([5, depth], [0, 2])),
          fixedTensor({ dtype: "f32", shape: updates, data }),
        ],
        attributes: { reduction: string("add") },
      };
    },
  },
  {
    op: "Celu",
    make: (draw) => ({ inputs: [draw.normal(draw.shape(2, 2, 4))], attributes: { alpha: float(0.7) } }),
  },
];
