import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { examine, sizesOf } from "../../../test/helpers/examine-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { branchingMlp } from "../../../test/helpers/small-networks.ts";

/** `x [N, tokens, 5]` through `embed`, a body, and `head`. */
function sequence(
  { tokens, width, out }: { readonly tokens: number; readonly width: number; readonly out: number },
  body: (b: GraphBuilder, x: string) => string,
  opset?: number,
): Graph {
  const b = new GraphBuilder(opset);
  const x = b.linear(b.input("x", [tokens, 5]), "embed", 5, width);
  return b.output(b.linear(body(b, x), "head", out, 3)).build();
}

describe("operators that depend on the order of an axis", () => {
  test("discoverSymmetries() lets channels move in a sum along tokens", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) =>
      b.op("CumSum", [b.op("Relu", [x]), b.constant([1], [], true)]),
    );
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() freezes channels that are summed up in order", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) =>
      b.op("CumSum", [b.linear(x, "mid", 6, 6), b.constant([2], [], true)]),
    );
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() lets channels move where the largest of tokens are taken", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) => {
      const [values = ""] = b.ops("TopK", [x, b.ints(2)], 2, { axis: 1 });
      return values;
    });
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() freezes what places of the largest values are told of", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 8 }, (b, x) => {
      const [values = "", places = ""] = b.ops("TopK", [b.linear(x, "router", 6, 5), b.ints(2)], 2, {
        axis: -1,
      });
      const taken = b.op("GatherElements", [b.linear(x, "mid", 6, 5), places], { axis: -1 });
      return b.linear(b.op("Mul", [values, taken]), "up", 2, 8);
    });
    expect(await sizesOf(graph)).toEqual(["6", "8"]);
  });

  test("discoverSymmetries() lets channels move where tokens are gathered one by one", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) => {
      const indices = b.constant(
        Array.from({ length: 2 * 4 * 6 }, (_, i) => Math.floor(i / 6 + (i >= 24 ? 1 : 0)) % 4),
        [2, 4, 6],
        true,
      );
      return b.op("GatherElements", [x, indices], { axis: 1 });
    });
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() lets channels of a table move whose rows are taken by two numbers", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) => {
      const places = b.constant([0, 0, 0, 1, -1, 1, 2, 2], [4, 2], true);
      const rows = b.op("GatherND", [b.weight("table", [3, 3, 6]), places]);
      return b.op("Relu", [b.op("Add", [x, rows])]);
    });
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() follows heads through a table of one number for each pair", async () => {
    const graph = sequence({ tokens: 4, width: 8, out: 8 }, (b, x) => {
      const pairs = b.constant(
        [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => i - j + 3)),
        [4, 4, 1],
        true,
      );
      const bias = b.transpose(b.op("GatherND", [b.weight("bias", [7, 2]), pairs]), 2, 0, 1);
      const part = (name: string) => b.transpose(b.reshape(b.linear(x, name, 8, 8), 0, 4, 2, 4), 0, 2, 1, 3);
      const scores = b.op("MatMul", [part("q"), b.transpose(part("k"), 0, 1, 3, 2)]);
      const weights = b.op("Softmax", [b.op("Add", [scores, bias])], { axis: -1 });
      return b.reshape(b.transpose(b.op("MatMul", [weights, part("v")]), 0, 2, 1, 3), 0, 4, 8);
    });
    expect(await sizesOf(graph)).toEqual(["2", "8", "2x4", "2x4"]);
  });

  test("discoverSymmetries() tells a row from the same row turned round before a convolution", async () => {
    const b = new GraphBuilder();
    const hidden = b.linear(b.input("x", [5]), "embed", 5, 3);
    const both = b.reshape(b.op("Gather", [hidden, b.ints(0, 1, 2, 2, 1, 0)], { axis: 1 }), 0, 2, 3);
    const mixed = b.op("Conv", [both, b.weight("kernel", [4, 2, 2])], { kernel_shape: [2] });
    const graph = b.output(b.linear(b.reshape(b.op("Relu", [mixed]), 0, 8), "head", 8, 3)).build();
    expect(await sizesOf(graph)).toEqual(["4"]);
  });
});

describe("operands that only describe", () => {
  test("discoverSymmetries() does not take the tensor that a number is cast like for an operand", async () => {
    const b = new GraphBuilder();
    const image = b.input("x", [3, 5, 7]);
    const zero = b.op("CastLike", [b.constant([0], [], true), image]);
    const inputs = [image, b.weight("stem.weight", [7, 3, 3, 3]), b.op("Expand", [zero, b.ints(7)])];
    const hidden = b.op("Relu", [b.op("Conv", inputs, { kernel_shape: [3, 3] })]);
    const graph = b.output(b.op("Conv", [hidden, b.weight("head.weight", [2, 7, 1, 1])])).build();
    expect(await sizesOf(graph)).toEqual(["7"]);
  });

  test("discoverSymmetries() counts a tensor made of a shape as a constant", async () => {
    const graph = sequence({ tokens: 4, width: 4, out: 4 }, (b, x) => {
      const unit = b.op("EyeLike", [
        b.linear(b.op("ReduceMean", [x], { axes: [0], keepdims: 0 }), "mid", 4, 4),
      ]);
      return b.op("MatMul", [b.op("Relu", [x]), unit]);
    });
    const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
    // What only gives a shape may be permuted; what meets the matrix may not.
    expect(spec.symmetries.map(({ name }) => name)).toEqual(["mid"]);
    expect(spec.unknown).toEqual([]);
  });
});

describe("operators that meet a mask", () => {
  test("discoverSymmetries() lets channels move where a triangle of tokens is left", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) => {
      const scores = b.op("Trilu", [b.op("MatMul", [x, b.transpose(x, 0, 2, 1)])], { upper: 0 });
      return b.op("MatMul", [scores, b.op("Relu", [x])]);
    });
    expect(await sizesOf(graph)).toEqual(["6"]);
  });

  test("discoverSymmetries() tells places that are added to twice from those added to once", async () => {
    const graph = sequence({ tokens: 4, width: 6, out: 6 }, (b, x) => {
      const places = b.constant([0, 1, 1, 2], [4, 1], true);
      const ones = b.constant([1, 1, 1, 1], [4]);
      const bias = b.op("ScatterND", [b.weight("bias", [6]), places, ones], { reduction: "add" });
      return b.op("Relu", [b.op("Add", [x, bias])]);
    });
    expect(await sizesOf(graph)).toEqual(["2", "3"]);
  });
});

describe("Einsum", () => {
  test("discoverSymmetries() follows what an ellipsis covers", async () => {
    const graph = sequence({ tokens: 4, width: 8, out: 8 }, (b, x) => {
      const up = b.op("Einsum", [x, b.weight("up", [8, 2, 5])], { equation: "...c,chd->...hd" });
      return b.op("Einsum", [b.op("Relu", [up]), b.weight("down", [2, 5, 8])], {
        equation: "...hd,hdo->...o",
      });
    });
    expect(await sizesOf(graph)).toEqual(["2", "5", "8", "8"]);
  });
});

describe("BatchNormalization", () => {
  test("discoverSymmetries() follows the statistics of a batch, and those that are mixed from them", async () => {
    const b = new GraphBuilder();
    const hidden = b.conv(b.input("x", [3, 4, 5]), "stem", [3, 6]);
    const vectors = ["scale", "bias", "mean", "variance"].map((name) => b.weight(`norm.${name}`, [6]));
    const [normal = "", mean = ""] = b.ops("BatchNormalization", [hidden, ...vectors], 3, {
      training_mode: 1,
    });
    const shifted = b.op("Add", [normal, b.reshape(mean, 6, 1, 1)]);
    const graph = b.output(b.conv(b.op("Relu", [shifted]), "head", [6, 2])).build();
    expect(await sizesOf(graph)).toEqual(["6"]);
  });
});

describe("GroupNormalization", () => {
  test.each([
    ["with a scale for each channel", 21, 16],
    ["with a scale for each group", 18, 4],
  ])("discoverSymmetries() nests channels in groups: %s", async (_, opset, scales) => {
    const b = new GraphBuilder(opset);
    const x = b.conv(b.input("x", [3, 8, 8]), "stem", [3, 16]);
    const vectors = [b.weight("norm.weight", [scales]), b.weight("norm.bias", [scales])];
    const normal = b.op("GroupNormalization", [x, ...vectors], { num_groups: 4 });
    const graph = b.output(b.conv(b.op("Relu", [normal]), "out", [16, 2])).build();
    expect(await sizesOf(graph)).toEqual(["4", "4x4"]);
  });

  // Groups of 8 and of 12 of 24 channels overlap in parts of 8, 4, 4 and 8, which mirror each other; groups of 4 lie in those of 12.
  // Groups of 6 and of 8 overlap in parts of 6, 2, 4, 4, 2 and 6, whose mirror is not found.
  test.each([
    [3, 2, ["2", "2x4", "2x8"]],
    [4, 3, ["2", "2", "4", "4", "6", "6"]],
    [6, 2, ["2", "2x3", "6x4"]],
  ])(
    "discoverSymmetries() finds what %i and %i groups of the same channels leave",
    async (one, other, sizes) => {
      const b = new GraphBuilder(21);
      const x = b.conv(b.input("x", [3, 4, 4]), "stem", [3, 24]);
      for (const groups of [one, other]) {
        const vectors = [b.weight(`${groups}.weight`, [24]), b.weight(`${groups}.bias`, [24])];
        const normal = b.op("GroupNormalization", [x, ...vectors], { num_groups: groups });
        b.output(b.conv(b.op("Relu", [normal]), `${groups}.out`, [24, 2]));
      }
      expect(await sizesOf(b.build())).toEqual(sizes);
    },
  );
});

/** A grouped-query attention whose queries of one key head lie on one axis with the tokens, `[N, kv, G * L, D]`. */
function mergedQueries(tokens: number, layers: number, causal: boolean): Graph {
  const [kv, group, inner] = [2, 2, 6];
  const width = kv * group * inner;
  return sequence({ tokens, width, out: width }, (b, first) => {
    let x = first;
    for (let layer = 0; layer < layers; layer++) {
      const shared = (name: string) =>
        b.transpose(
          b.reshape(b.linear(x, `${layer}.${name}`, width, kv * inner), 0, tokens, kv, inner),
          0,
          2,
          1,
          3,
        );
      const split = b.reshape(b.linear(x, `${layer}.q`, width, width), 0, tokens, kv, group, inner);
      const q = b.reshape(b.transpose(split, 0, 2, 3, 1, 4), 0, kv, group * tokens, inner);
      let scores = b.op("MatMul", [q, b.transpose(shared("k"), 0, 1, 3, 2)]);
      if (causal) {
        const later = Array.from({ length: tokens ** 2 }, (_, i) => (i % tokens > i / tokens ? -1e4 : 0));
        const apart = b.reshape(scores, 0, kv, group, tokens, tokens);
        scores = b.reshape(
          b.op("Add", [apart, b.constant(later, [tokens, tokens])]),
          0,
          kv,
          group * tokens,
          tokens,
        );
      }
      const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), shared("v")]);
      const back = b.transpose(b.reshape(mixed, 0, kv, group, tokens, inner), 0, 3, 1, 2, 4);
      x = b.op("Add", [x, b.linear(b.reshape(back, 0, tokens, width), `${layer}.proj`, width, width)]);
    }
    return x;
  });
}

describe("tokens and heads on one axis", () => {
  test.each([
    [16, false],
    [40, false],
    [40, true],
  ])("discoverSymmetries() finds heads among %i tokens, causal: %s", async (tokens, causal) => {
    expect(await sizesOf(mergedQueries(tokens, 1, causal))).toEqual(["2", "24", "2x2", "2x6", "2x6"]);
  });

  test("discoverSymmetries() finds them in several layers", async () => {
    const { sizes } = await examine(mergedQueries(33, 3, true));
    const own = ["2", "2x2", "2x6", "2x6"];
    expect(sizes.toSorted()).toEqual(["24", ...own, ...own, ...own].toSorted());
  });
});

describe("operators without a rule", () => {
  test("discoverSymmetries() freezes what control flow touches, says so, and goes on", async () => {
    expect(await examine(branchingMlp())).toEqual({ sizes: ["6", "7"], unknown: ["If"] });
  });

  test("discoverSymmetries() freezes what an operator of another set touches", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [5]), "embed", 5, 6);
    const graph = b
      .output(
        b.linear(
          b.linear(b.op("Det", [b.reshape(b.linear(x, "mid", 6, 16), 0, 4, 2, 2)]), "up", 4, 7),
          "head",
          7,
          3,
        ),
      )
      .build();
    expect(await examine(graph)).toEqual({ sizes: ["6", "7"], unknown: ["Det"] });
  });
});
