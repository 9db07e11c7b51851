import {
  add,
  batchNorm,
  div,
  exp,
  layerNorm,
  mul,
  reduceMean,
  sqrt,
  type Value,
} from "@isthmus/graph/builder";
import { float, int } from "@isthmus/graph/ir";
import { anyShape, type Example, oneOf, testRules } from "../../../test/helpers/gradient-laws.ts";

/** Large enough that a rule without it would show. */
const EPSILON = 0.03;

/** ONNX's number for f64, the type to compute statistics in. */
const F64 = 11;

/** A batch of any spatial rank. */
const batch = ({ random, x }: Example): Value =>
  x("x", [2 + random.integer(2), 2, ...anyShape(random, random.integer(3))]);

const byChannel = ({ x }: Example): readonly Value[] =>
  ["scale", "bias", "mean", "spread"].map((name) => x(name, [2]));

/** A batch norm in training mode with some of its outputs. */
function trainingNorm(example: Example, wanted: readonly boolean[], momentum?: number): Value[] {
  const x = batch(example);
  const [scale, bias, mean, spread] = byChannel(example) as [Value, Value, Value, Value];
  const one = { dtype: x.dtype, shape: [2] };
  const outputs = [{ dtype: x.dtype, shape: x.shape }, one, one].map((type, i) =>
    wanted[i] ? type : undefined,
  );
  return example.b.emit("BatchNormalization", [x, scale, bias, mean, exp(spread)], outputs, {
    attributes: {
      training_mode: int(1),
      epsilon: float(EPSILON),
      ...(momentum === undefined ? {} : { momentum: float(momentum) }),
    },
  });
}

const ALL = [true, true, true];

testRules({
  "BatchNormalization by given statistics": (example) => {
    const x = batch(example);
    const [scale, bias, mean, spread] = byChannel(example) as [Value, Value, Value, Value];
    return batchNorm(x, { scale, bias, mean, variance: exp(spread) }, EPSILON);
  },
  "BatchNormalization in training": (example) => trainingNorm(example, [true, false, false]),
  "BatchNormalization in training, with the batch's statistics": (example) => trainingNorm(example, ALL, 0),
  "BatchNormalization in training, statistics alone": (example) => trainingNorm(example, ALL, 0).slice(1),
  "BatchNormalization in training, variance alone": (example) => trainingNorm(example, ALL, 0).slice(2),
  "BatchNormalization in training, mean alone": (example) => trainingNorm(example, ALL, 0).slice(1, 2),
  "BatchNormalization in training, with running statistics": (example) => trainingNorm(example, ALL, 0.75),
  LayerNormalization: (example) => {
    const { random, x } = example;
    const axis = random.integer(3);
    const input = x("x", [2, 3, 2 + random.integer(2)]);
    const shape = oneOf(random, [input.shape.slice(axis), input.shape.slice(-1)]);
    const bias = random.integer(2) === 0 ? {} : { bias: x("bias", shape) };
    return layerNorm(
      input,
      { scale: x("scale", shape), ...bias },
      { axis: axis - oneOf(random, [0, 3]), epsilon: EPSILON },
    );
  },
  "LayerNormalization in f32": {
    precision: "mixed",
    build: ({ x }) =>
      layerNorm(x("x", [3, 5]), { scale: x("scale", [5]), bias: x("bias", [5]) }, { epsilon: EPSILON }),
  },
  "LayerNormalization over several axes in f32": {
    precision: "mixed",
    opset: 17,
    build: ({ x }) => layerNorm(x("x", [3, 2, 4]), { scale: x("scale", [2, 4]) }, { axis: 1, epsilon: 0.3 }),
  },
  "GroupNormalization in f32": {
    precision: "mixed",
    build: ({ x, b, dtype }) =>
      b.emit(
        "GroupNormalization",
        [x("x", [2, 4, 3]), x("scale", [4]), x("bias", [4])],
        [{ dtype, shape: [2, 4, 3] }],
        { attributes: { stash_type: int(F64), num_groups: int(2), epsilon: float(0.3) } },
      ),
  },
  // Their type is f32 whatever that of the input.
  "LayerNormalization with mean and inverse deviation": {
    precision: "single",
    build: ({ x, b, dtype }) =>
      b.emit(
        "LayerNormalization",
        [x("x", [3, 4]), x("scale", [4])],
        [
          { dtype, shape: [3, 4] },
          { dtype: "f32", shape: [3, 1] },
          { dtype: "f32", shape: [3, 1] },
        ],
        { attributes: { axis: int(-1), epsilon: float(0.3) } },
      ),
  },
  RMSNormalization: {
    opset: 23,
    build: ({ x, b, dtype, random }) => {
      const axis = random.integer(2) + 1;
      const input = x("x", [2, 3, 2]);
      return b.emit(
        "RMSNormalization",
        [input, x("scale", input.shape.slice(axis))],
        [{ dtype, shape: input.shape }],
        {
          attributes: { axis: int(axis), epsilon: float(EPSILON) },
        },
      );
    },
  },
  "RMS norm from its parts": ({ x }) => {
    const input = x("x", [2, 5]);
    const squares = reduceMean(mul(input, input), { axes: [-1], keepDims: true });
    return mul(div(input, sqrt(add(squares, EPSILON))), x("scale", [5]));
  },
  GroupNormalization: ({ x, b, dtype, random }) => {
    const input = x("x", [2, 4, ...anyShape(random, random.integer(2)), 2]);
    return b.emit(
      "GroupNormalization",
      [input, x("scale", [4]), x("bias", [4])],
      [{ dtype, shape: input.shape }],
      {
        attributes: {
          num_groups: int(oneOf(random, [1, 2, 4])),
          epsilon: float(EPSILON),
          stash_type: int(F64),
        },
      },
    );
  },
  "GroupNormalization with scales by group": {
    opset: 18,
    build: ({ x, b, dtype }) => {
      const input = x("x", [2, 4, 3]);
      return b.emit(
        "GroupNormalization",
        [input, x("scale", [2]), x("bias", [2])],
        [{ dtype, shape: input.shape }],
        {
          attributes: { num_groups: int(2), epsilon: float(EPSILON) },
        },
      );
    },
  },
  InstanceNormalization: {
    precision: "single",
    build: ({ x, b, dtype }) =>
      b.emit(
        "InstanceNormalization",
        [x("x", [2, 3, 6]), x("scale", [3]), x("bias", [3])],
        [{ dtype, shape: [2, 3, 6] }],
        {
          attributes: { epsilon: float(0.3) },
        },
      ),
  },
  LpNormalization: ({ x, b, dtype, random }) =>
    b.emit("LpNormalization", [x("x", [3, 4])], [{ dtype, shape: [3, 4] }], {
      attributes: { axis: int(random.integer(2)), p: int(1 + random.integer(2)) },
    }),
});
