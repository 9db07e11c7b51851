import type { Attribute } from "@isthmus/graph";
import { float, int, ints, string } from "@isthmus/graph/ir";
import type { Draw, OperatorCase } from "./draw.ts";

/** Pads of all beginnings then all ends, each less than the window. */
const pads = (draw: Draw, taps: readonly number[]): number[] =>
  [...taps, ...taps].map((tap) => draw.random.integer(tap));

const convolution = (op: "Conv" | "ConvTranspose", spatial: number, kind: string): OperatorCase => ({
  op,
  detail: `${kind} over ${spatial} axes`,
  make: (draw) => {
    const group = kind === "plain" ? 1 : draw.between(2, 3);
    const own = kind === "depthwise" ? 1 : draw.between(1, 3);
    const out = draw.between(1, 2);
    const taps = draw.shape(spatial, 1, 3);
    const dilations = draw.shape(spatial, 1, 2);
    const around = pads(draw, taps);
    const extents = draw.shape(spatial, 5, 8);
    const strides = draw.shape(spatial, 1, 3);
    const attributes: Record<string, Attribute> = {
      kernel_shape: ints(taps),
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints(around),
      group: int(group),
    };
    if (op === "ConvTranspose")
      attributes["output_padding"] = ints(strides.map((step) => draw.random.integer(step)));
    const kernel = op === "Conv" ? [group * out, own, ...taps] : [group * own, out, ...taps];
    const x = draw.normal([draw.between(1, 2), group * own, ...extents]);
    const bias = draw.random.integer(2) === 0 ? [] : [draw.normal([group * out])];
    return { inputs: [x, draw.normal(kernel), ...bias], attributes };
  },
});

const pooling = (op: "MaxPool" | "AveragePool", spatial: number): OperatorCase => ({
  op,
  detail: `over ${spatial} axes`,
  make: (draw) => {
    const taps = draw.shape(spatial, 1, 3);
    const attributes: Record<string, Attribute> = {
      kernel_shape: ints(taps),
      strides: ints(draw.shape(spatial, 1, 3)),
      pads: ints(pads(draw, taps)),
      ceil_mode: int(draw.between(0, 1)),
    };
    if (op === "AveragePool") attributes["count_include_pad"] = int(draw.between(0, 1));
    return { inputs: [draw.normal([2, draw.between(1, 3), ...draw.shape(spatial, 5, 8)])], attributes };
  },
});

export const LINEAR: readonly OperatorCase[] = [
  {
    op: "Gemm",
    make: (draw) => {
      const [m, k, n] = draw.shape(3, 1, 5) as [number, number, number];
      const [transA, transB] = [draw.between(0, 1), draw.between(0, 1)];
      const bias = draw.pick([[], [draw.normal(draw.pick([[n], [m, n], [1, n], [m, 1]]))]]);
      return {
        inputs: [draw.normal(transA ? [k, m] : [m, k]), draw.normal(transB ? [n, k] : [k, n]), ...bias],
        attributes: {
          transA: int(transA),
          transB: int(transB),
          alpha: float(draw.pick([1, 0.5])),
          beta: float(draw.pick([1, 2])),
        },
      };
    },
  },
  {
    op: "MatMul",
    make: (draw) => {
      const [m, k, n] = draw.shape(3, 1, 5) as [number, number, number];
      const batch = draw.shape(draw.between(0, 2));
      return {
        inputs: [
          draw.normal([...draw.broadcast(batch), m, k]),
          draw.normal([...draw.broadcast(batch), k, n]),
        ],
      };
    },
  },
  {
    op: "MatMul",
    detail: "of vectors",
    make: (draw) =>
      draw.pick([
        { inputs: [draw.normal([3]), draw.normal([3])] },
        { inputs: [draw.normal([3]), draw.normal([2, 3, 4])] },
        { inputs: [draw.normal([2, 4, 3]), draw.normal([3])] },
      ]),
  },
  ...[1, 2].flatMap((spatial) =>
    ["plain", "grouped", "depthwise"].flatMap((kind) => [
      convolution("Conv", spatial, kind),
      convolution("ConvTranspose", spatial, kind),
    ]),
  ),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].map(
    (mode): OperatorCase => ({
      op: "Conv",
      detail: mode,
      make: (draw) => ({
        inputs: [draw.normal([1, 2, 7, 6]), draw.normal([3, 2, ...draw.shape(2, 1, 3)])],
        attributes: { auto_pad: string(mode), strides: ints(draw.shape(2, 1, 2)) },
      }),
    }),
  ),
  ...[1, 2].flatMap((spatial) => [pooling("MaxPool", spatial), pooling("AveragePool", spatial)]),
  ...["GlobalAveragePool", "GlobalMaxPool"].map(
    (op): OperatorCase => ({
      op,
      make: (draw) => ({ inputs: [draw.normal([2, 3, ...draw.shape(draw.between(1, 2))])] }),
    }),
  ),
  ...["ij,jk->ik", "bhqd,bhkd->bhqk", "ij,j", "bi,bj->bij", "ij->ji", "ij->"].map(
    (equation): OperatorCase => ({
      op: "Einsum",
      detail: equation,
      make: (draw) => {
        const extents = new Map([...equation].map((letter) => [letter, draw.between(1, 4)]));
        const terms = equation.split("->")[0]!.split(",");
        return {
          inputs: terms.map((term) => draw.normal([...term].map((letter) => extents.get(letter)!))),
          attributes: { equation: string(equation) },
        };
      },
    }),
  ),
  ...[1, 2].map(
    (spatial): OperatorCase => ({
      op: "MaxPool",
      detail: `dilated, with indices, over ${spatial} axes`,
      make: (draw) => {
        const taps = draw.shape(spatial, 2, 3);
        return {
          inputs: [draw.normal([2, 2, ...draw.shape(spatial, 6, 8)])],
          attributes: {
            kernel_shape: ints(taps),
            strides: ints(draw.shape(spatial, 1, 2)),
            dilations: ints(draw.shape(spatial, 1, 2)),
            pads: ints(pads(draw, taps)),
            ceil_mode: int(draw.between(0, 1)),
          },
          outputs: draw.between(1, 2),
        };
      },
    }),
  ),
];
