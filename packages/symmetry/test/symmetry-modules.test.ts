import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { sizesOf } from "../../../test/helpers/examine-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const TOKENS = 5;

type Attend = (b: GraphBuilder, x: string) => { q: string; k: string; v: string };

/** Self-attention of 4 heads of 6 with a residual stream of 24. */
function attention(project: Attend, rotate: (b: GraphBuilder, x: string) => string = (_, x) => x): Graph {
  const b = new GraphBuilder();
  const x = b.linear(b.input("x", [TOKENS, 7]), "embed", 7, 24);
  const { q, k, v } = project(b, x);
  const scores = b.op("MatMul", [rotate(b, q), b.transpose(rotate(b, k), 0, 1, 3, 2)]);
  const weights = b.op("Softmax", [b.op("Mul", [scores, b.constant([0.4], [])])], { axis: -1 });
  const mixed = b.reshape(b.transpose(b.op("MatMul", [weights, v]), 0, 2, 1, 3), 0, TOKENS, 24);
  const y = b.op("Add", [x, b.linear(mixed, "proj", 24, 24)]);
  return b.output(b.linear(y, "head", 24, 3)).build();
}

const heads = (b: GraphBuilder, x: string): string => b.transpose(b.reshape(x, 0, TOKENS, 4, 6), 0, 2, 1, 3);

const byChunk: Attend = (b, x) => {
  const parts = b.ops("Split", [b.linear(x, "qkv", 24, 72)], 3, { axis: -1 });
  const [q = "", k = "", v = ""] = parts.map((part) => heads(b, part));
  return { q, k, v };
};

const byUnbind: Attend = (b, x) => {
  const all = b.transpose(b.reshape(b.linear(x, "qkv", 24, 72), 0, TOKENS, 3, 4, 6), 2, 0, 3, 1, 4);
  const pick = (i: number) => b.op("Gather", [all, b.constant([i], [], true)], { axis: 0 });
  return { q: pick(0), k: pick(1), v: pick(2) };
};

const byHead: Attend = (b, x) => {
  const all = b.transpose(b.reshape(b.linear(x, "qkv", 24, 72), 0, TOKENS, 4, 18), 0, 2, 1, 3);
  const [q = "", k = "", v = ""] = b.ops("Split", [all, b.ints(6, 6, 6)], 3, { axis: -1 });
  return { q, k, v };
};

const separate: Attend = (b, x) => ({
  q: heads(b, b.linear(x, "q", 24, 24)),
  k: heads(b, b.linear(x, "k", 24, 24)),
  v: heads(b, b.linear(x, "v", 24, 24)),
});

/** Angles of rotary embeddings, `[tokens, pairs]`. */
function angles(b: GraphBuilder, f: (x: number) => number, repeat: boolean): string {
  const pairs = 3;
  const values: number[] = [];
  for (let t = 0; t < TOKENS; t++) {
    for (let r = 0; r < (repeat ? 2 : 1); r++) for (let p = 0; p < pairs; p++) values.push(f(t / 3 ** p));
  }
  return b.constant(values, [TOKENS, repeat ? 2 * pairs : pairs]);
}

function rotateInterleaved(b: GraphBuilder, x: string): string {
  const even = b.slice(x, 3, [0, 6, 2]);
  const odd = b.slice(x, 3, [1, 6, 2]);
  const cos = angles(b, Math.cos, false);
  const sin = angles(b, Math.sin, false);
  const one = b.op("Sub", [b.op("Mul", [even, cos]), b.op("Mul", [odd, sin])]);
  const two = b.op("Add", [b.op("Mul", [even, sin]), b.op("Mul", [odd, cos])]);
  const stacked = [one, two].map((part) => b.op("Unsqueeze", [part, b.ints(-1)]));
  return b.reshape(b.op("Concat", stacked, { axis: -1 }), 0, 4, TOKENS, 6);
}

function rotateHalves(b: GraphBuilder, x: string): string {
  const turned = [b.op("Neg", [b.slice(x, 3, [3, 6])]), b.slice(x, 3, [0, 3])];
  const cosine = b.op("Mul", [x, angles(b, Math.cos, true)]);
  return b.op("Add", [cosine, b.op("Mul", [b.op("Concat", turned, { axis: 3 }), angles(b, Math.sin, true)])]);
}

describe("attention", () => {
  test.each([
    ["by chunk", byChunk],
    ["by reshape and unbind", byUnbind],
    ["by head and chunk", byHead],
    ["by separate projections", separate],
  ])("discoverSymmetries() finds heads and inner dimensions of qkv %s", async (_, project) => {
    expect(await sizesOf(attention(project))).toEqual(["4", "24", "4x6", "4x6"]);
  });

  test.each([
    ["interleaved", rotateInterleaved],
    ["halves", rotateHalves],
  ])("discoverSymmetries() keeps rotary pairs in place: %s", async (_, rotate) => {
    expect(await sizesOf(attention(byChunk, rotate))).toEqual(["4", "24", "4x6"]);
  });

  test("discoverSymmetries() finds one inner permutation for all heads that share a norm's scale", async () => {
    const normed: Attend = (b, x) => {
      const { q, k, v } = separate(b, x);
      const norm = (value: string, name: string) =>
        b.op("LayerNormalization", [value, b.weight(`${name}.weight`, [6]), b.weight(`${name}.bias`, [6])]);
      return { q: norm(q, "q_norm"), k: norm(k, "k_norm"), v };
    };
    expect(await sizesOf(attention(normed))).toEqual(["4", "6", "24", "4x6"]);
  });

  test("discoverSymmetries() treats a norm of queries and keys stacked together alike", async () => {
    const stacked: Attend = (b, x) => {
      const all = b.transpose(b.reshape(b.linear(x, "qkv", 24, 72), 0, TOKENS, 3, 4, 6), 2, 0, 3, 1, 4);
      const norm = b.op("ReduceL2", [all], { axes: [-1], keepdims: 1 });
      const scaled = b.op("Div", [all, norm]);
      const pick = (i: number) => b.op("Gather", [scaled, b.constant([i], [], true)], { axis: 0 });
      return { q: pick(0), k: pick(1), v: pick(2) };
    };
    expect(await sizesOf(attention(stacked))).toEqual(["4", "24", "4x6", "4x6"]);
  });

  test("discoverSymmetries() nests query heads in the groups that share a key head", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [TOKENS, 7]), "embed", 7, 24);
    const part = (name: string, count: number) =>
      b.transpose(b.reshape(b.linear(x, name, 24, count * 4), 0, TOKENS, count, 4), 0, 2, 1, 3);
    const repeat = (value: string) => {
      const wide = b.op("Expand", [b.op("Unsqueeze", [value, b.ints(2)]), b.ints(1, 2, 3, TOKENS, 4)]);
      return b.reshape(wide, 0, 6, TOKENS, 4);
    };
    const scores = b.op("MatMul", [part("q", 6), b.transpose(repeat(part("k", 2)), 0, 1, 3, 2)]);
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), repeat(part("v", 2))]);
    const y = b.linear(b.reshape(b.transpose(mixed, 0, 2, 1, 3), 0, TOKENS, 24), "proj", 24, 24);
    const graph = b.output(b.linear(b.op("Add", [x, y]), "head", 24, 3)).build();
    expect(await sizesOf(graph)).toEqual(["2", "24", "2x3", "2x4", "2x4"]);
  });

  test("discoverSymmetries() finds heads of shifted windows with a relative position bias", async () => {
    const b = new GraphBuilder();
    const [side, window, width] = [4, 2, 8];
    const x = b.linear(b.input("x", [side, side, 5]), "embed", 5, width);
    const roll = (value: string, by: number, axis: number) => {
      const parts = [b.slice(value, axis, [by, side]), b.slice(value, axis, [0, by])];
      return b.op("Concat", parts, { axis });
    };
    const parted = b.reshape(roll(roll(x, 1, 1), 1, 2), -1, 2, window, 2, window, width);
    const windows = b.reshape(b.transpose(parted, 0, 1, 3, 2, 4, 5), -1, window * window, width);
    const part = (name: string) =>
      b.transpose(b.reshape(b.linear(windows, name, width, width), 0, 4, 2, 4), 0, 2, 1, 3);
    const scores = b.op("MatMul", [part("q"), b.transpose(part("k"), 0, 1, 3, 2)]);
    const offsets = [0, 1, 2, 3].flatMap((i) =>
      [0, 1, 2, 3].map((j) => 3 * ((i >> 1) - (j >> 1) + 1) + ((i & 1) - (j & 1) + 1)),
    );
    const table = b.weight("bias_table", [9, 2]);
    const bias = b.transpose(
      b.reshape(b.op("Gather", [table, b.ints(...offsets)], { axis: 0 }), 4, 4, 2),
      2,
      0,
      1,
    );
    const mask = Array.from({ length: 64 }, (_, i) => (Math.floor(i / 16) > 0 && i % 3 === 0 ? -100 : 0));
    const biased = b.reshape(b.op("Add", [scores, bias]), -1, 4, 2, 4, 4);
    const masked = b.op("Add", [biased, b.constant(mask, [1, 4, 1, 4, 4])]);
    const weights = b.op("Softmax", [b.reshape(masked, -1, 2, 4, 4)], { axis: -1 });
    const mixed = b.reshape(b.transpose(b.op("MatMul", [weights, part("v")]), 0, 2, 1, 3), -1, 4, width);
    const merged = b.reshape(b.linear(mixed, "proj", width, width), -1, 2, 2, window, window, width);
    const back = b.reshape(b.transpose(merged, 0, 1, 3, 2, 4, 5), -1, side, side, width);
    const y = b.op("Add", [x, roll(roll(back, 3, 1), 3, 2)]);
    const pooled = b.op("ReduceMean", [y], { axes: [1, 2], keepdims: 0 });
    const graph = b.output(b.linear(pooled, "head", width, 3)).build();
    expect(await sizesOf(graph)).toEqual(["2", "8", "2x4", "2x4"]);
  });

  test("discoverSymmetries() finds the inner dimensions of linear attention", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [TOKENS, 7]), "embed", 7, 12);
    const part = (name: string) =>
      b.transpose(b.reshape(b.linear(x, name, 12, 12), 0, TOKENS, 3, 4), 0, 2, 1, 3);
    const memory = b.op("MatMul", [b.transpose(part("k"), 0, 1, 3, 2), part("v")]);
    const mixed = b.reshape(b.transpose(b.op("MatMul", [part("q"), memory]), 0, 2, 1, 3), 0, TOKENS, 12);
    const graph = b
      .output(b.linear(b.op("Add", [x, b.linear(mixed, "proj", 12, 12)]), "head", 12, 3))
      .build();
    expect(await sizesOf(graph)).toEqual(["3", "12", "3x4", "3x4"]);
  });

  test("discoverSymmetries() reads Einsum as a contraction", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [TOKENS, 7]), "embed", 7, 24);
    const part = (name: string) =>
      b.op("Einsum", [x, b.weight(name, [24, 4, 6])], { equation: "nte,ehd->nthd" });
    const scores = b.op("Einsum", [part("q"), part("k")], { equation: "nthd,nshd->nhts" });
    const weights = b.op("Softmax", [scores], { axis: -1 });
    const mixed = b.op("Einsum", [weights, part("v")], { equation: "nhts,nshd->nthd" });
    const y = b.op("Einsum", [mixed, b.weight("proj", [4, 6, 24])], { equation: "nthd,hde->nte" });
    const graph = b.output(b.linear(b.op("Add", [x, y]), "head", 24, 3)).build();
    // Weights whose heads are an axis of their own share inner labels between heads: 6 stands for 4x6.
    expect(await sizesOf(graph)).toEqual(["4", "6", "6", "24"]);
  });
});

/** `x [N, 5]` through `embed`, a body, and `head`. */
function vectorModule(width: number, out: number, body: (b: GraphBuilder, x: string) => string): Graph {
  const b = new GraphBuilder();
  const x = b.linear(b.input("x", [5]), "embed", 5, width);
  return b.output(b.linear(body(b, x), "head", out, 3)).build();
}

describe("gates and parts of vectors", () => {
  const gate = (b: GraphBuilder, [a, c]: readonly [string, string]) => b.op("Mul", [b.op("Sigmoid", [a]), c]);
  test.each([
    ["halves", (b: GraphBuilder, x: string) => gate(b, [b.slice(x, 1, [0, 6]), b.slice(x, 1, [6, 12])])],
    [
      "interleaved",
      (b: GraphBuilder, x: string) => gate(b, [b.slice(x, 1, [0, 12, 2]), b.slice(x, 1, [1, 12, 2])]),
    ],
    [
      "scattered",
      (b: GraphBuilder, x: string) =>
        gate(b, [
          b.op("Gather", [x, b.ints(3, 11, 0, 7, 8, 2)], { axis: 1 }),
          b.op("Gather", [x, b.ints(10, 1, 9, 4, 6, 5)], { axis: 1 }),
        ]),
    ],
  ])("discoverSymmetries() pairs the parts of a gated unit: %s", async (_, body) => {
    expect(await sizesOf(vectorModule(12, 6, body))).toEqual(["6"]);
  });

  test("discoverSymmetries() follows a flip", async () => {
    const graph = vectorModule(8, 4, (b, x) =>
      b.op("Add", [b.slice(x, 1, [0, 4]), b.slice(x, 1, [7, 3, -1])]),
    );
    expect(await sizesOf(graph)).toEqual(["4"]);
  });

  test("discoverSymmetries() follows a vector joined with a function of itself", async () => {
    const graph = vectorModule(8, 16, (b, x) => {
      const z = b.op("Relu", [x]);
      const other = b.op("Tanh", [b.op("Mul", [z, b.constant([2], [])])]);
      return b.op("Concat", [z, other], { axis: 1 });
    });
    expect(await sizesOf(graph)).toEqual(["8"]);
  });

  test("discoverSymmetries() nests the inputs of a maxout", async () => {
    const graph = vectorModule(12, 4, (b, x) =>
      b.op("ReduceMax", [b.reshape(x, 0, 4, 3)], { axes: [2], keepdims: 0 }),
    );
    expect(await sizesOf(graph)).toEqual(["4", "4x3"]);
  });

  test("discoverSymmetries() follows a flattened outer product", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", [5]);
    const u = b.op("Unsqueeze", [b.linear(x, "u", 5, 6), b.ints(2)]);
    const v = b.op("Unsqueeze", [b.linear(x, "v", 5, 4), b.ints(1)]);
    const graph = b.output(b.linear(b.reshape(b.op("Mul", [u, v]), 0, 24), "head", 24, 3)).build();
    expect(await sizesOf(graph)).toEqual(["4", "6"]);
  });

  test.each([
    ["Tile", (b: GraphBuilder, x: string) => b.op("Tile", [x, b.ints(1, 2)])],
    [
      "interleaved",
      (b: GraphBuilder, x: string) =>
        b.reshape(b.op("Expand", [b.op("Unsqueeze", [x, b.ints(2)]), b.ints(1, 4, 2)]), 0, 8),
    ],
  ])("discoverSymmetries() exchanges columns of repeated values: %s", async (_, body) => {
    expect(await sizesOf(vectorModule(4, 8, body))).toEqual(["4", "4x2"]);
  });

  test.each([
    ["equal numbers freeze nothing", [2, 2, 2, 2], ["4"]],
    ["two pairs split", [1, 1, 2, 2], ["2", "2"]],
    ["different numbers freeze", [1, 2, 3, 4], []],
  ])("discoverSymmetries() looks at constants: %s", async (_, values, sizes) => {
    const graph = vectorModule(4, 4, (b, x) => b.op("Relu", [b.op("Mul", [x, b.constant(values, [4])])]));
    expect(await sizesOf(graph)).toEqual(sizes);
  });

  test("discoverSymmetries() tells apart what is taken unequally often before a sum", async () => {
    const graph = vectorModule(4, 1, (b, x) => {
      const taken = b.op("Gather", [b.op("Relu", [x]), b.ints(0, 0, 1, 2, 3)], { axis: 1 });
      return b.op("ReduceSum", [taken, b.ints(1)], { keepdims: 1 });
    });
    expect(await sizesOf(graph)).toEqual(["3"]);
  });

  test("discoverSymmetries() freezes a part of a softmax's axis only where it is taken", async () => {
    const graph = vectorModule(6, 3, (b, x) => b.slice(b.op("Softmax", [x], { axis: 1 }), 1, [0, 3]));
    expect(await sizesOf(graph)).toEqual(["3", "3"]);
  });
});

describe("shared and stacked weights", () => {
  test("discoverSymmetries() unrolls a recurrent weight", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", [3, 5]);
    const wx = b.weight("input", [5, 8]);
    const wh = b.weight("hidden", [8, 8]);
    let h = "";
    for (let t = 0; t < 3; t++) {
      const now = b.op("MatMul", [b.op("Gather", [x, b.constant([t], [], true)], { axis: 1 }), wx]);
      h = b.op("Tanh", [h === "" ? now : b.op("Add", [now, b.op("MatMul", [h, wh])])]);
    }
    expect(await sizesOf(b.output(b.linear(h, "head", 8, 3)).build())).toEqual(["8"]);
  });

  test("discoverSymmetries() follows a weight used both ways", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", [5]);
    const w = b.weight("tied", [5, 9]);
    const h = b.op("Relu", [b.op("MatMul", [x, w])]);
    const y = b.op("MatMul", [b.op("Add", [h, b.linear(h, "map", 9, 9)]), b.transpose(w, 1, 0)]);
    expect(await sizesOf(b.output(y).build())).toEqual(["9"]);
  });

  test("discoverSymmetries() gives each expert its own hidden units", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [5]), "embed", 5, 8);
    const gates = b.op("Softmax", [b.linear(x, "router", 8, 4)], { axis: -1 });
    const up = b.op("MatMul", [b.op("Unsqueeze", [x, b.ints(0)]), b.weight("up", [4, 8, 12])]);
    const down = b.op("MatMul", [b.op("Relu", [up]), b.weight("down", [4, 12, 8])]);
    const weighted = b.op("Mul", [down, b.op("Unsqueeze", [b.transpose(gates, 1, 0), b.ints(2)])]);
    const y = b.op("ReduceSum", [weighted, b.ints(0)], { keepdims: 0 });
    const graph = b.output(b.linear(y, "head", 8, 3)).build();
    expect(await sizesOf(graph)).toEqual(["4", "8", "8", "4x12"]);
  });

  test("discoverSymmetries() finds both sides of a mixer", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [6, 5]), "embed", 5, 12);
    const mixed = b.linear(
      b.op("Relu", [b.linear(b.transpose(x, 0, 2, 1), "token.0", 6, 9)]),
      "token.1",
      9,
      6,
    );
    const y = b.op("Add", [x, b.transpose(mixed, 0, 2, 1)]);
    const z = b.op("Add", [
      y,
      b.linear(b.op("Relu", [b.linear(y, "channel.0", 12, 20)]), "channel.1", 20, 12),
    ]);
    const pooled = b.op("ReduceMean", [z], { axes: [1], keepdims: 0 });
    // Means over tokens and residual streams over tokens would let tokens move, did the input not fix them.
    expect(await sizesOf(b.output(b.linear(pooled, "head", 12, 3)).build())).toEqual(["9", "12", "20"]);
  });
});

/** Images `[N, 3, 8, 8]`. */
function imageModule(body: (b: GraphBuilder, x: string) => string): Graph {
  const b = new GraphBuilder();
  return b.output(body(b, b.input("x", [3, 8, 8]))).build();
}

describe("images", () => {
  test("discoverSymmetries() nests channels in the groups of a group norm", async () => {
    const graph = imageModule((b, x) => {
      const y = b.conv(x, "stem", [3, 16]);
      const grouped = b.reshape(y, 0, 4, -1);
      const ones = b.constant([1, 1, 1, 1], [4]);
      const zeros = b.constant([0, 0, 0, 0], [4]);
      const normal = b.reshape(b.op("InstanceNormalization", [grouped, ones, zeros]), 0, 16, 8, 8);
      const scaled = b.op("Mul", [normal, b.weight("norm.weight", [16, 1, 1])]);
      return b.conv(b.op("Add", [scaled, b.weight("norm.bias", [16, 1, 1])]), "out", [16, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["4", "4x4"]);
  });

  test("discoverSymmetries() keeps padded channels interchangeable", async () => {
    const graph = imageModule((b, x) => {
      const stem = b.op("Relu", [b.conv(x, "stem", [3, 8])]);
      const padded = b.op("Pad", [stem, b.ints(0, 4, 0, 0, 0, 4, 0, 0)]);
      return b.conv(b.op("Add", [b.conv(stem, "branch", [8, 16]), padded]), "out", [16, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["4", "4", "8"]);
  });

  test("discoverSymmetries() moves channels of a pixel shuffle with their sub-channels in place", async () => {
    const graph = imageModule((b, x) => {
      const y = b.transpose(b.reshape(b.conv(x, "up", [3, 16]), 0, 4, 2, 2, 8, 8), 0, 1, 4, 2, 5, 3);
      return b.conv(b.reshape(y, 0, 4, 16, 16), "out", [4, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["4"]);
  });

  test.each(["DCR", "CRD"])("discoverSymmetries() knows DepthToSpace %s", async (mode) => {
    const graph = imageModule((b, x) => {
      const y = b.op("DepthToSpace", [b.conv(x, "up", [3, 16])], { blocksize: 2, mode });
      return b.conv(y, "out", [4, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["4"]);
  });

  test("discoverSymmetries() knows SpaceToDepth", async () => {
    const graph = imageModule((b, x) => {
      const y = b.op("SpaceToDepth", [b.conv(x, "stem", [3, 5])], { blocksize: 2 });
      return b.conv(y, "out", [20, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["5"]);
  });

  test("discoverSymmetries() follows transposed convolution and resizing", async () => {
    const graph = imageModule((b, x) => {
      const y = b.op("ConvTranspose", [b.conv(x, "stem", [3, 6]), b.weight("up.weight", [6, 5, 2, 2])], {
        strides: [2, 2],
      });
      const scales = b.constant([1, 1, 2, 2], [4]);
      return b.conv(b.op("Resize", [y, "", scales], { mode: "nearest" }), "out", [5, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["5", "6"]);
  });

  test("discoverSymmetries() nests channels in the groups of grouped convolutions", async () => {
    const graph = imageModule((b, x) => {
      const y = b.op("ConvTranspose", [b.conv(x, "stem", [3, 8]), b.weight("up.weight", [8, 3, 2, 2])], {
        group: 4,
        strides: [2, 2],
      });
      return b.conv(b.conv(y, "grouped", [12, 12], 4), "out", [12, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["4", "4x2", "4x3", "4x3"]);
  });

  test("discoverSymmetries() ties depthwise channels through squeeze and excitation", async () => {
    const graph = imageModule((b, x) => {
      const y = b.op("Relu", [b.conv(b.conv(x, "stem", [3, 8]), "depthwise", [8, 8], 8)]);
      const pooled = b.op("GlobalAveragePool", [y]);
      const squeezed = b.op("Relu", [b.op("Conv", [pooled, b.weight("squeeze", [3, 8, 1, 1])])]);
      const scale = b.op("Sigmoid", [b.op("Conv", [squeezed, b.weight("excite", [8, 3, 1, 1])])]);
      return b.conv(b.op("Mul", [y, scale]), "out", [8, 2]);
    });
    expect(await sizesOf(graph)).toEqual(["3", "8"]);
  });

  test("discoverSymmetries() follows a channel shuffle between grouped convolutions", async () => {
    const graph = imageModule((b, x) => {
      const y = b.conv(b.conv(x, "stem", [3, 8]), "grouped.0", [8, 8], 2);
      const shuffled = b.reshape(b.transpose(b.reshape(y, 0, 2, 4, 8, 8), 0, 2, 1, 3, 4), 0, 8, 8, 8);
      return b.conv(b.conv(shuffled, "grouped.1", [8, 8], 2), "out", [8, 2]);
    });
    // Channels between the two lie in one group of each: their cells have two parents.
    expect(await sizesOf(graph)).toEqual(["2", "2", "2x4", "2x4", "4x2"]);
  });
});

describe("what the graph does not read", () => {
  test("discoverSymmetries() freezes rows of a table beyond the length it was exported for", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [TOKENS, 5]), "embed", 5, 6);
    const positions = Array.from({ length: TOKENS }, (_, i) => i);
    const rows = b.op("Gather", [b.weight("positions", [TOKENS + 4, 6]), b.ints(...positions)], { axis: 0 });
    const y = b.op("Sigmoid", [b.op("Add", [x, rows])]);
    const graph = b.output(b.linear(y, "head", 6, 3)).build();
    expect(await sizesOf(graph)).toEqual(["6"]);
    const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
    const frozen = spec.frozen.find(({ tensor, axis }) => tensor === "positions" && axis === 0);
    expect(frozen).toMatchObject({ indices: TOKENS + 4 });
  });
});
