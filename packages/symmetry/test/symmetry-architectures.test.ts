import type { Graph } from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { sizesOf } from "../../../test/helpers/examine-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

// Small versions of what people export, with all symmetries they have.

/** Images `[N, 3, 8, 8]` through a stem, a body, a pool and a head of 3 classes. */
function classifier(
  [width, out]: readonly [number, number],
  body: (b: GraphBuilder, x: string) => string,
  opset?: number,
): Graph {
  const b = new GraphBuilder(opset);
  const y = body(b, b.op("Relu", [b.conv(b.input("x", [3, 8, 8]), "stem", [3, width])]));
  const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [y])], { axis: 1 });
  return b
    .output(
      b.op("Gemm", [pooled, b.weight("head.weight", [3, out]), b.weight("head.bias", [3])], { transB: 1 }),
    )
    .build();
}

function batchNorm(b: GraphBuilder, x: string, name: string, width: number): string {
  const parameters = ["weight", "bias"].map((part) => b.weight(`${name}.${part}`, [width]));
  const statistics = ["running_mean", "running_var"].map((part) =>
    b.weight(`${name}.${part}`, [width], "statistic"),
  );
  return b.op("BatchNormalization", [x, ...parameters, ...statistics]);
}

/** A 1 x 1 convolution. */
function pointwise(b: GraphBuilder, x: string, name: string, [from, to]: readonly [number, number]): string {
  return b.op("Conv", [x, b.weight(`${name}.weight`, [to, from, 1, 1]), b.weight(`${name}.bias`, [to])]);
}

/** LayerNorm along the last axis, in one node. */
function layerNorm(b: GraphBuilder, x: string, name: string, width: number): string {
  return b.op("LayerNormalization", [
    x,
    b.weight(`${name}.weight`, [width]),
    b.weight(`${name}.bias`, [width]),
  ]);
}

describe("convolutional networks", () => {
  test("discoverSymmetries() follows dense concatenation", async () => {
    const graph = classifier([4, 10], (b, x) => {
      const features = [x];
      const widths = [4, 7];
      for (const [i, width] of widths.entries()) {
        const all = features.length === 1 ? x : b.op("Concat", [...features], { axis: 1 });
        const normal = b.op("Relu", [batchNorm(b, all, `norm.${i}`, width)]);
        features.push(b.conv(normal, `layer.${i}`, [width, 3]));
      }
      return b.op("Relu", [batchNorm(b, b.op("Concat", [...features], { axis: 1 }), "last", 10)]);
    });
    expect(await sizesOf(graph)).toEqual(["3", "3", "4"]);
  });

  test("discoverSymmetries() follows the branches of an inception block", async () => {
    const graph = classifier([6, 15], (b, x) => {
      const pooled = b.op("MaxPool", [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] });
      const branches = [
        pointwise(b, x, "one", [6, 4]),
        b.conv(b.op("Relu", [pointwise(b, x, "three.0", [6, 3])]), "three.1", [3, 5]),
        b.conv(b.conv(pointwise(b, x, "five.0", [6, 2]), "five.1", [2, 4]), "five.2", [4, 3]),
        pointwise(b, pooled, "pool", [6, 3]),
      ];
      return b.op("Relu", [b.op("Concat", branches, { axis: 1 })]);
    });
    expect(await sizesOf(graph)).toEqual(["2", "3", "3", "3", "4", "4", "5", "6"]);
  });

  test("discoverSymmetries() follows an inverted residual with squeeze and excitation", async () => {
    const graph = classifier([6, 6], (b, x) => {
      const expanded = b.op("HardSwish", [batchNorm(b, pointwise(b, x, "expand", [6, 12]), "norm.0", 12)]);
      const deep = b.op("HardSwish", [
        batchNorm(b, b.conv(expanded, "depthwise", [12, 12], 12), "norm.1", 12),
      ]);
      const squeezed = b.op("Relu", [pointwise(b, b.op("GlobalAveragePool", [deep]), "squeeze", [12, 4])]);
      const scale = b.op("HardSigmoid", [pointwise(b, squeezed, "excite", [4, 12])]);
      return b.op("Add", [x, pointwise(b, b.op("Mul", [deep, scale]), "project", [12, 6])]);
    });
    expect(await sizesOf(graph)).toEqual(["4", "6", "12"]);
  });

  test("discoverSymmetries() nests channels in the groups of a bottleneck with grouped convolution", async () => {
    const graph = classifier([6, 6], (b, x) => {
      const inner = b.op("Relu", [pointwise(b, x, "one", [6, 8])]);
      const grouped = b.op("Relu", [batchNorm(b, b.conv(inner, "two", [8, 8], 4), "norm", 8)]);
      return b.op("Add", [x, pointwise(b, grouped, "three", [8, 6])]);
    });
    expect(await sizesOf(graph)).toEqual(["4", "6", "4x2", "4x2"]);
  });

  test("discoverSymmetries() follows the shuffled halves of a ShuffleNet unit", async () => {
    const graph = classifier([8, 8], (b, x) => {
      const [left = "", right = ""] = b.ops("Split", [x, b.ints(4, 4)], 2, { axis: 1 });
      const deep = pointwise(
        b,
        b.conv(b.op("Relu", [pointwise(b, right, "one", [4, 4])]), "depthwise", [4, 4], 4),
        "two",
        [4, 4],
      );
      const joined = b.reshape(b.op("Concat", [left, deep], { axis: 1 }), 0, 2, 4, 8, 8);
      return b.reshape(b.transpose(joined, 0, 2, 1, 3, 4), 0, 8, 8, 8);
    });
    expect(await sizesOf(graph)).toEqual(["4", "4", "4", "4"]);
  });

  test("discoverSymmetries() follows a ConvNeXt block, channels last and scaled", async () => {
    const graph = classifier(
      [6, 6],
      (b, x) => {
        const last = b.transpose(b.conv(x, "depthwise", [6, 6], 6), 0, 2, 3, 1);
        const hidden = b.op("Gelu", [b.linear(layerNorm(b, last, "norm", 6), "up", 6, 12)]);
        const back = b.transpose(b.linear(hidden, "down", 12, 6), 0, 3, 1, 2);
        return b.op("Add", [x, b.op("Mul", [back, b.weight("scale", [6, 1, 1])])]);
      },
      20,
    );
    expect(await sizesOf(graph)).toEqual(["6", "12"]);
  });

  test.each(["ConvTranspose", "Resize"])(
    "discoverSymmetries() follows a UNet that goes up by %s",
    async (op) => {
      const b = new GraphBuilder();
      const top = b.op("Relu", [b.conv(b.input("x", [3, 8, 8]), "down.0", [3, 4])]);
      const pooled = b.op("MaxPool", [top], { kernel_shape: [2, 2], strides: [2, 2] });
      const bottom = b.op("Relu", [b.conv(pooled, "down.1", [4, 6])]);
      const up =
        op === "Resize"
          ? b.conv(
              b.op("Resize", [bottom, "", b.constant([1, 1, 2, 2], [4])], { mode: "nearest" }),
              "up",
              [6, 5],
            )
          : b.op("ConvTranspose", [bottom, b.weight("up.weight", [6, 5, 2, 2]), b.weight("up.bias", [5])], {
              strides: [2, 2],
            });
      const joined = b.op("Concat", [top, up], { axis: 1 });
      const graph = b.output(b.conv(b.op("Relu", [b.conv(joined, "merge", [9, 7])]), "out", [7, 2])).build();
      expect(await sizesOf(graph)).toEqual(["4", "5", "6", "7"]);
    },
  );
});

/** Parts of a transformer: `[N, tokens, width]` with `heads` heads. */
class Transformer {
  readonly b: GraphBuilder;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;

  constructor(b: GraphBuilder, [tokens, width, heads]: readonly [number, number, number]) {
    this.b = b;
    this.tokens = tokens;
    this.width = width;
    this.heads = heads;
  }

  part(x: string, name: string): string {
    const { b, tokens, width, heads } = this;
    const split = b.reshape(b.linear(x, name, width, width), -1, tokens, heads, width / heads);
    return b.transpose(split, 0, 2, 1, 3);
  }

  /** Attention of `x` to `memory`, scores changed by `bias`. */
  attend([x, memory]: readonly [string, string], name: string, bias: (scores: string) => string): string {
    const { b, tokens, width } = this;
    const keys = b.transpose(this.part(memory, `${name}.k`), 0, 1, 3, 2);
    const scores = bias(b.op("MatMul", [this.part(x, `${name}.q`), keys]));
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), this.part(memory, `${name}.v`)]);
    return b.linear(b.reshape(b.transpose(mixed, 0, 2, 1, 3), -1, tokens, width), `${name}.o`, width, width);
  }

  /** A table `[buckets, heads]` looked up by the distance of tokens, as `[heads, tokens, tokens]`. */
  relativeBias(name: string, bucketOf: (i: number, j: number) => number, buckets: number): string {
    const { b, tokens, heads } = this;
    const indices = Array.from({ length: tokens ** 2 }, (_, at) =>
      bucketOf(Math.floor(at / tokens), at % tokens),
    );
    const table = b.weight(name, [buckets, heads]);
    const found = b.op("Gather", [table, b.constant(indices, [tokens, tokens], true)], { axis: 0 });
    return b.transpose(found, 2, 0, 1);
  }
}

describe("transformers", () => {
  test("discoverSymmetries() knows BERT: three embeddings, norms behind residuals, pooled first token", async () => {
    const b = new GraphBuilder();
    const t = new Transformer(b, [5, 12, 2]);
    const tokens = b.input("tokens", [5], "i64");
    const words = b.op("Gather", [b.weight("words", [11, 12]), tokens], { axis: 0 });
    const kinds = b.op("Gather", [b.weight("kinds", [2, 12]), b.constant([0, 0, 0, 1, 1], [1, 5], true)], {
      axis: 0,
    });
    const embedded = b.op("Add", [b.op("Add", [words, kinds]), b.weight("positions", [5, 12])]);
    const x = layerNorm(b, embedded, "norm.0", 12);
    const scaled = (scores: string) => b.op("Div", [scores, b.constant([2.4], [])]);
    const y = layerNorm(b, b.op("Add", [x, t.attend([x, x], "attention", scaled)]), "norm.1", 12);
    const hidden = b.op("Gelu", [b.linear(y, "up", 12, 20)]);
    const z = layerNorm(b, b.op("Add", [y, b.linear(hidden, "down", 20, 12)]), "norm.2", 12);
    const first = b.op("Gather", [z, b.constant([0], [], true)], { axis: 1 });
    const pooled = b.op("Tanh", [b.linear(first, "pooler", 12, 9)]);
    const graph = { ...b.output(b.linear(pooled, "head", 9, 3)).build(), opsets: new Map([["", 20]]) };
    expect(await sizesOf(graph)).toEqual(["2", "9", "12", "20", "2x6", "2x6"]);
  });

  test("discoverSymmetries() knows T5: relative bias shared by layers, RMS norms in parts, cross attention", async () => {
    const b = new GraphBuilder(18);
    const t = new Transformer(b, [5, 12, 2]);
    const table = b.weight("shared", [11, 12]);
    const embed = (name: string) => b.op("Gather", [table, b.input(name, [5], "i64")], { axis: 0 });
    const norm = (x: string, name: string) => {
      const mean = b.op("ReduceMean", [b.op("Pow", [x, b.constant([2], [])]), b.ints(-1)], { keepdims: 1 });
      const root = b.op("Sqrt", [b.op("Add", [mean, b.constant([1e-6], [])])]);
      return b.op("Mul", [b.op("Div", [x, root]), b.weight(name, [12])]);
    };
    const bias = t.relativeBias("bias", (i, j) => Math.max(-2, Math.min(2, i - j)) + 2, 5);
    const biased = (scores: string) => b.op("Add", [scores, bias]);
    let x = embed("source");
    for (const layer of [0, 1]) {
      const normal = norm(x, `encoder.${layer}.norm`);
      x = b.op("Add", [x, t.attend([normal, normal], `encoder.${layer}`, biased)]);
    }
    const memory = norm(x, "encoder.norm");
    const y = embed("target");
    const z = b.op("Add", [y, t.attend([norm(y, "decoder.norm"), memory], "cross", (scores) => scores)]);
    const gated = b.op("Mul", [b.op("Gelu", [b.linear(z, "gate", 12, 16)]), b.linear(z, "up", 12, 16)]);
    const last = b.op("Add", [z, b.linear(gated, "down", 16, 12)]);
    const graph = {
      ...b.output(b.op("MatMul", [last, b.transpose(table, 1, 0)])).build(),
      opsets: new Map([["", 20]]),
    };
    // Both layers of the encoder share one table, so that their heads move together.
    expect(await sizesOf(graph)).toEqual(["2", "2", "12", "16", ...new Array(6).fill("2x6")]);
  });

  test("discoverSymmetries() knows both axes of MaxViT: blocks of neighbours, then a grid", async () => {
    const [side, window, width] = [4, 2, 8];
    const b = new GraphBuilder();
    const t = new Transformer(b, [window * window, width, 2]);
    let x = b.linear(b.input("x", [side, side, 5]), "embed", 5, width);
    for (const kind of ["block", "grid"] as const) {
      const [outer, order] =
        kind === "block" ? [side / window, [0, 1, 3, 2, 4, 5]] : [window, [0, 2, 4, 1, 3, 5]];
      const parted = b.reshape(x, -1, outer, side / outer, outer, side / outer, width);
      const windows = b.reshape(b.transpose(parted, ...order), -1, window * window, width);
      const bias = t.relativeBias(
        `${kind}.bias`,
        (i, j) => 3 * ((i >> 1) - (j >> 1) + 1) + (i & 1) - (j & 1) + 1,
        9,
      );
      const normal = layerNorm(b, windows, `${kind}.norm`, width);
      const mixed = t.attend([normal, normal], kind, (scores) => b.op("Add", [scores, bias]));
      const back = order.map((_, place) => order.indexOf(place));
      const shape = order.map((axis) => [-1, outer, side / outer, outer, side / outer, width][axis] ?? 1);
      const merged = b.reshape(b.transpose(b.reshape(mixed, ...shape), ...back), -1, side, side, width);
      x = b.op("Add", [x, merged]);
    }
    const pooled = b.op("ReduceMean", [x], { axes: [1, 2], keepdims: 0 });
    const graph = b.output(b.linear(pooled, "head", width, 3)).build();
    expect(await sizesOf(graph)).toEqual(["2", "2", "8", "2x4", "2x4", "2x4", "2x4"]);
  });

  test("discoverSymmetries() merges patches as Swin does", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [4, 4, 5]), "embed", 5, 6);
    const quarter = (row: number, column: number) => b.slice(b.slice(x, 1, [row, 4, 2]), 2, [column, 4, 2]);
    const all = b.op("Concat", [quarter(0, 0), quarter(1, 0), quarter(0, 1), quarter(1, 1)], { axis: 3 });
    const reduced = b.op("MatMul", [
      layerNorm(b, b.reshape(all, -1, 4, 24), "norm", 24),
      b.weight("reduce", [24, 12]),
    ]);
    const pooled = b.op("ReduceMean", [reduced], { axes: [1], keepdims: 0 });
    expect(await sizesOf(b.output(b.linear(pooled, "head", 12, 3)).build())).toEqual(["6", "12"]);
  });
});

describe("ways of exporters", () => {
  /** A block with a residual map, whose axes and sizes are given as the operator set wants them. */
  function block(opset: number, noisy: boolean): Graph {
    const b = new GraphBuilder(opset);
    const x = b.linear(b.input("x", [4, 5]), "embed", 5, 8);
    const reduced = (value: string) =>
      opset < 18
        ? b.op("ReduceMean", [value], { axes: [-1], keepdims: 1 })
        : b.op("ReduceMean", [value, b.ints(-1)], { keepdims: 1 });
    const squeezed = (value: string) =>
      opset < 13 ? b.op("Squeeze", [value], { axes: [3] }) : b.op("Squeeze", [value, b.ints(3)]);
    const unsqueezed = (value: string) =>
      opset < 13 ? b.op("Unsqueeze", [value], { axes: [3] }) : b.op("Unsqueeze", [value, b.ints(3)]);
    const split = (value: string) =>
      opset < 13
        ? b.ops("Split", [value], 2, { axis: 2, split: [6, 6] })
        : b.ops("Split", [value, b.ints(6, 6)], 2, { axis: 2 });
    const centred = b.op("Sub", [x, reduced(x)]);
    const weight = b.transpose(b.weight("up.weight", [12, 8]), 1, 0);
    const [gate = "", up = ""] = split(b.op("MatMul", [centred, weight]));
    const hidden = b.op("Mul", [b.op("Sigmoid", [gate]), squeezed(unsqueezed(up))]);
    const shaped = noisy ? b.op("Reshape", [hidden, shapeOf(b, hidden)]) : hidden;
    const y = b.op("Add", [x, b.linear(shaped, "down", 6, 8)]);
    const dropped = opset < 12 ? b.op("Dropout", [y], { ratio: 0.5 }) : b.op("Dropout", [y]);
    return b.output(b.linear(dropped, "head", 8, 3)).build();
  }

  /** Shape arithmetic around a reshape that changes nothing, constants as nodes. */
  function shapeOf(b: GraphBuilder, value: string): string {
    const shape = b.op("Shape", [value]);
    const zero = b.op("Constant", [], {
      value: { type: "tensor", value: { dtype: "i64", shape: [1], data: BigInt64Array.of(0n) } },
    });
    const first = b.op("Gather", [shape, zero], { axis: 0 });
    const product = b.op("Div", [b.op("Mul", [first, b.ints(4)]), b.ints(4)]);
    return b.op(
      "Concat",
      [product, b.ints(4), b.op("Cast", [b.op("Cast", [b.ints(6)], { to: 1 })], { to: 7 })],
      { axis: 0 },
    );
  }

  test.each(
    [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21].flatMap(
      (opset) =>
        [
          [opset, false],
          [opset, true],
        ] as const,
    ),
  )("discoverSymmetries() reads operator set %i, with shape arithmetic: %s", async (opset, noisy) => {
    expect(await sizesOf(block(opset, noisy))).toEqual(["6", "8"]);
  });
});
