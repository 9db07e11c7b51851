import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "./graph-builder.ts";

/** Linear layers with relu: 6 -> 16 -> 12 -> 4. */
export function smallMlp(): Graph {
  const b = new GraphBuilder();
  const first = b.op("Relu", [b.linear(b.input("x", [6]), "l0", 6, 16)]);
  const second = b.op("Relu", [b.linear(first, "l1", 16, 12)]);
  return b.output(b.linear(second, "l2", 12, 4)).build("mlp");
}

/** A batch norm with weights `name.scale`, `bias`, `mean` and `var`. */
export function batchNorm(b: GraphBuilder, x: string, name: string, channels: number): string {
  const parts = ["scale", "bias", "mean", "var"].map((part, i) =>
    b.weight(`${name}.${part}`, [channels], i < 2 ? "parameter" : "statistic"),
  );
  return b.op("BatchNormalization", [x, ...parts], { epsilon: 1e-5 });
}

/** Two convolutions with batch norms, flatten, two linear layers. */
export function smallCnn(): Graph {
  const b = new GraphBuilder();
  const input = b.input("x", [2, 4, 4]);
  const first = b.op("Relu", [batchNorm(b, b.conv(input, "c0", [2, 6]), "n0", 6)]);
  const second = b.op("Relu", [batchNorm(b, b.conv(first, "c1", [6, 8]), "n1", 8)]);
  const pooled = b.op("MaxPool", [second], { kernel_shape: [2, 2], strides: [2, 2] });
  const hidden = b.op("Relu", [b.linear(b.reshape(pooled, 0, 32), "l0", 32, 10)]);
  return b.output(b.linear(hidden, "l1", 10, 3)).build("cnn");
}

/** A convolution with a batch norm, dropout, and a linear layer, for images of `stripes`. */
export function dropoutCnn(): Graph {
  const b = new GraphBuilder(17);
  const hidden = b.op("Relu", [batchNorm(b, b.conv(b.input("x", [1, 4, 4]), "conv", [1, 4]), "norm", 4)]);
  const dropped = b.op("Dropout", [b.reshape(hidden, 0, 64), b.constant([0.25], [])]);
  return b.output(b.linear(dropped, "head", 64, 3)).build("small");
}

const TOKENS = 4;

/**
 * Self-attention with a fused projection of `heads` heads of `inner` dimensions each, on values
 * `[N, 4, width]`.
 */
function attention(
  b: GraphBuilder,
  x: string,
  { width, heads, inner, out }: { width: number; heads: number; inner: number; out: number },
): string {
  const fused = b.linear(x, "qkv", width, 3 * heads * inner);
  const parts = b.ops("Split", [fused], 3, { axis: -1 });
  const [q = "", k = "", v = ""] = parts.map((part) =>
    b.transpose(b.reshape(part, 0, TOKENS, heads, inner), 0, 2, 1, 3),
  );
  const weights = b.op("Softmax", [b.op("MatMul", [q, b.transpose(k, 0, 1, 3, 2)])], { axis: -1 });
  const mixed = b.reshape(b.transpose(b.op("MatMul", [weights, v]), 0, 2, 1, 3), 0, TOKENS, heads * inner);
  return b.linear(mixed, "proj", heads * inner, out);
}

/** An embedding, attention of 3 heads of 4 with a residual connection, and a head. */
export function smallTransformer(): Graph {
  const b = new GraphBuilder();
  const x = b.linear(b.input("x", [TOKENS, 5]), "embed", 5, 12);
  const y = b.op("Add", [x, attention(b, x, { width: 12, heads: 3, inner: 4, out: 12 })]);
  return b.output(b.linear(y, "head", 12, 3)).build("transformer");
}

/** Attention of 2 heads of 3 right at the input and output: a group of 2 (3! 3!)^2 elements, one block. */
export function bareAttention(): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", [TOKENS, 5]);
  return b.output(attention(b, x, { width: 5, heads: 2, inner: 3, out: 2 })).build("attention");
}

/** A hidden layer that is fed back by one square weight: the same units on both of its axes. */
export function smallRecurrent(): Graph {
  const b = new GraphBuilder();
  const recurrent = b.weight("recurrent", [12, 12]);
  let h = b.op("Tanh", [b.linear(b.input("x", [6]), "in", 6, 12)]);
  for (let step = 0; step < 2; step++) h = b.op("Tanh", [b.op("MatMul", [h, recurrent])]);
  return b.output(b.linear(h, "out", 12, 3)).build("recurrent");
}

/** The flattened product of two hidden layers, or of one with itself. */
export function outerProduct(square: boolean): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", [6]);
  const left = b.op("Tanh", [b.linear(x, "left", 6, 6)]);
  const right = square ? left : b.op("Tanh", [b.linear(x, "right", 6, 5)]);
  const columns = square ? 6 : 5;
  const product = b.op("Mul", [b.op("Unsqueeze", [left, b.ints(2)]), b.op("Unsqueeze", [right, b.ints(1)])]);
  const flat = b.reshape(product, 0, 6 * columns);
  return b.output(b.linear(flat, "out", 6 * columns, 4)).build(square ? "square" : "product");
}

/**
 * Linear layers 5 -> 6 -> 8 -> 7 -> 3 whose second activation is chosen by `If`: what it touches cannot be
 * followed.
 */
export function branchingMlp(): Graph {
  const b = new GraphBuilder();
  const branch = (op: string, value: string): Graph => ({
    name: op,
    opsets: new Map([["", 17]]),
    inputs: [],
    weights: new Map(),
    constants: new Map(),
    nodes: [{ name: op, op, domain: "", inputs: [value], outputs: [`${op}:y`], attributes: new Map() }],
    outputs: [{ name: `${op}:y`, dtype: "f32", shape: ["N", 8] }],
  });
  const y = b.linear(b.linear(b.input("x", [5]), "embed", 5, 6), "mid", 6, 8);
  const sum = b.op("ReduceSum", [b.input("z", [])], { keepdims: 0 });
  const chosen = b.op("If", [b.op("Greater", [sum, b.constant([0], [])])], {
    then_branch: { type: "graph", value: branch("Relu", y) },
    else_branch: { type: "graph", value: branch("Tanh", y) },
  });
  const last = b.op("Relu", [b.linear(chosen, "up", 8, 7)]);
  return b.output(b.linear(last, "head", 7, 3)).build("branching");
}

/** One network of each kind: a layer after another, convolutions, attention with and without a residual stream, recurrence, and two
 * whose symmetries are entangled. */
export function smallNetworks(): Graph[] {
  return [
    smallMlp(),
    smallCnn(),
    smallTransformer(),
    bareAttention(),
    smallRecurrent(),
    outerProduct(false),
    outerProduct(true),
  ];
}
