import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "./graph-builder.ts";

/** Kinds of norms that exporters write. */
export const NORM_FORMS = [
  "layer",
  "layer in pieces",
  "root mean square in pieces",
  "root mean square times 1 + weight",
] as const;

/** One of {@link NORM_FORMS}. */
export type NormForm = (typeof NORM_FORMS)[number];

/**
 * What a small pre-norm transformer may have that keeps its stream from being rotated; or, as Llama has them,
 * queries in groups and a gated MLP, which do not; or a single head of keys and values for all queries.
 */
export type StreamTrait = "post-norm" | "tied" | "gated" | "layer-scale" | "none" | "grouped" | "multi-query";

const WIDTH = 8;
const HIDDEN = 12;
const TOKENS = 4;

/** Normalises the last axis, `[..., 8]`, with a gain and, for layer norms, an offset. */
function norm(b: GraphBuilder, form: NormForm, x: string, name: string): string {
  const gain = b.weight(`${name}.weight`, [WIDTH]);
  if (form === "layer") {
    return b.op("LayerNormalization", [x, gain, b.weight(`${name}.bias`, [WIDTH])], { axis: -1 });
  }
  const mean = (value: string) => b.op("ReduceMean", [value], { axes: [-1] });
  const isCentred = form === "layer in pieces";
  const u = isCentred ? b.op("Sub", [x, mean(x)]) : x;
  const square = isCentred ? b.op("Pow", [u, b.constant([2], [])]) : b.op("Mul", [u, u]);
  const root = b.op("Sqrt", [b.op("Add", [mean(square), b.constant([1e-5], [])])]);
  const plain = isCentred
    ? b.op("Div", [u, root])
    : b.op("Mul", [u, b.op("Div", [b.constant([1], []), root])]);
  const isOffset = form === "root mean square times 1 + weight";
  const scaled = b.op("Mul", [plain, isOffset ? b.op("Add", [b.constant([1], []), gain]) : gain]);
  return isCentred ? b.op("Add", [scaled, b.weight(`${name}.bias`, [WIDTH])]) : scaled;
}

/** One head pair of attention without a mask: 2 heads of 3. */
function attention(b: GraphBuilder, x: string): string {
  const split = (name: string, perm: readonly number[]) =>
    b.op("Transpose", [b.reshape(b.linear(x, name, WIDTH, 6), 0, TOKENS, 2, 3)], { perm });
  const scores = b.op("MatMul", [split("q", [0, 2, 1, 3]), split("k", [0, 2, 3, 1])]);
  const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), split("v", [0, 2, 1, 3])]);
  const joined = b.reshape(b.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), 0, TOKENS, 6);
  return b.linear(joined, "o", 6, WIDTH);
}

/** Attention with 4 heads of queries of 3, in groups of 2 that share keys and values; keys have no free units. */
function groupedAttention(b: GraphBuilder, x: string): string {
  const split = (name: string, heads: number, perm: readonly number[]) =>
    b.op("Transpose", [b.reshape(b.linear(x, name, WIDTH, heads * 3), 0, TOKENS, heads, 3)], { perm });
  const repeat = (value: string, rows: number, columns: number) => {
    const apart = b.op("Unsqueeze", [value, b.ints(2)]);
    const wider = b.op("Expand", [apart, b.ints(1, 2, 2, rows, columns)]);
    return b.reshape(wider, 0, 4, rows, columns);
  };
  const queries = split("q", 4, [0, 2, 1, 3]);
  // Different numbers for each inner dimension, as rotary embeddings are, so that none may move.
  const places = b.constant([0.5, 1, 1.5], [3, 1]);
  const keys = b.op("Tanh", [b.op("Add", [split("k", 2, [0, 2, 3, 1]), places])]);
  const scores = b.op("MatMul", [queries, repeat(keys, 3, TOKENS)]);
  const values = repeat(split("v", 2, [0, 2, 1, 3]), TOKENS, 3);
  const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), values]);
  const joined = b.reshape(b.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), 0, TOKENS, 12);
  return b.linear(joined, "o", 12, WIDTH);
}

/** Attention with 4 heads of queries of 3 that all share one head of keys and values. */
function multiQueryAttention(b: GraphBuilder, x: string): string {
  const queries = b.op("Transpose", [b.reshape(b.linear(x, "q", WIDTH, 12), 0, TOKENS, 4, 3)], {
    perm: [0, 2, 1, 3],
  });
  const keys = b.op("Transpose", [b.reshape(b.linear(x, "k", WIDTH, 3), 0, TOKENS, 1, 3)], {
    perm: [0, 2, 3, 1],
  });
  const scores = b.op("MatMul", [queries, keys]);
  const values = b.op("Unsqueeze", [b.linear(x, "v", WIDTH, 3), b.ints(1)]);
  const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), values]);
  const joined = b.reshape(b.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), 0, TOKENS, 12);
  return b.linear(joined, "o", 12, WIDTH);
}

/** Attention of each trait that has one of its own. */
const ATTENTIONS: Partial<Record<StreamTrait, (b: GraphBuilder, x: string) => string>> = {
  grouped: groupedAttention,
  "multi-query": multiQueryAttention,
};

/** A transformer of one block, width 8, 4 tokens of 5 numbers, with logits of 3 classes from their mean. */
export function streamNetwork(form: NormForm, trait: StreamTrait = "none"): Graph {
  const b = new GraphBuilder();
  const embedding = b.weight("embed.weight", [5, WIDTH]);
  const position = b.weight("position", [TOKENS, WIDTH]);
  let h = b.op("Add", [b.op("MatMul", [b.input("x", [TOKENS, 5]), embedding]), position]);
  const add = (branch: string, name: string) => {
    const gate = (value: string) => b.op("Mul", [value, b.weight(`${name}.gate`, [WIDTH])]);
    const added = b.op("Add", [h, trait === "layer-scale" ? gate(branch) : branch]);
    const sum = trait === "gated" ? gate(added) : added;
    h = trait === "post-norm" ? norm(b, form, sum, `${name}.norm`) : sum;
  };
  const before = (name: string) => (trait === "post-norm" ? h : norm(b, form, h, name));
  const isGrouped = trait === "grouped";
  add((ATTENTIONS[trait] ?? attention)(b, before("norm1")), "one");
  const middle = before("norm2");
  const up = b.linear(middle, "up", WIDTH, HIDDEN);
  const hidden = isGrouped
    ? b.op("Mul", [b.op("Sigmoid", [b.linear(middle, "gate", WIDTH, HIDDEN)]), up])
    : b.op("Tanh", [up]);
  add(b.linear(hidden, "down", HIDDEN, WIDTH), "two");
  const last = norm(b, form, h, "norm3");
  const logits =
    trait === "tied"
      ? b.op("MatMul", [last, b.op("Transpose", [embedding], { perm: [1, 0] })])
      : b.linear(last, "head", WIDTH, 3);
  return b.output(b.op("ReduceMean", [logits], { axes: [1], keepdims: 0 })).build(`stream ${form} ${trait}`);
}
