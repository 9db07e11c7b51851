import type { GraphBuilder } from "../graph-builder.ts";

/** Units of the streams of small networks. */
export const WIDTH = 8;

/** Tokens, or rows, of an example. */
export const TOKENS = 4;

/** Numbers of a token of the input. */
export const FEATURES = 5;

/** A way to normalise the last axis of a value by weights named after `name`. */
export type Normalize = (b: GraphBuilder, x: string, name: string) => string;

/** Layer norm with a gain and an offset, as one node. */
export const layerNorm: Normalize = (b, x, name) => {
  const inputs = [x, b.weight(`${name}.weight`, [WIDTH]), b.weight(`${name}.bias`, [WIDTH])];
  return b.op("LayerNormalization", inputs, { axis: -1 });
};

/** Layer norm without a gain. */
export const plainLayerNorm: Normalize = (b, x) => {
  const ones = b.constant(new Array<number>(WIDTH).fill(1), [WIDTH]);
  return b.op("LayerNormalization", [x, ones], { axis: -1 });
};

/** The mean along the last axis. */
export function lastMean(b: GraphBuilder, x: string): string {
  return b.op("ReduceMean", [x], { axes: [-1] });
}

/** Root mean square norm without a gain, in pieces. */
export const plainRms: Normalize = (b, x) => {
  const mean = lastMean(b, b.op("Mul", [x, x]));
  const root = b.op("Sqrt", [b.op("Add", [mean, b.constant([1e-5], [])])]);
  return b.op("Div", [x, root]);
};

/** Root mean square norm with a gain, in pieces. */
export const rmsNorm: Normalize = (b, x, name) =>
  b.op("Mul", [plainRms(b, x, name), b.weight(`${name}.weight`, [WIDTH])]);

/** Root mean square norm whose gain is 1 plus a weight, in pieces. */
export const offsetRms: Normalize = (b, x, name) => {
  const gain = b.op("Add", [b.weight(`${name}.weight`, [WIDTH]), b.constant([1], [])]);
  return b.op("Mul", [plainRms(b, x, name), gain]);
};

/** Every norm, with words for it. */
export const NORMS: readonly (readonly [words: string, normalize: Normalize])[] = [
  ["layer norm", layerNorm],
  ["rms norm", rmsNorm],
  ["rms norm of 1 + weight", offsetRms],
  ["layer norm without gain", plainLayerNorm],
  ["rms norm without gain", plainRms],
];

/** Division by the length along the last axis, as `torch.nn.functional.normalize` is exported. */
export function unitLength(b: GraphBuilder, x: string): string {
  const length = b.op("ReduceL2", [x], { axes: [-1] });
  return b.op("Div", [x, b.op("Max", [length, b.constant([1e-12], [])])]);
}

/** Adds values. */
export function add(b: GraphBuilder, ...values: readonly string[]): string {
  return values.reduce((sum, value) => b.op("Add", [sum, value]));
}

/** A hidden layer of 12 units between linear layers. */
export function mlp(b: GraphBuilder, x: string, name: string, activation = "Relu"): string {
  const hidden = b.op(activation, [b.linear(x, `${name}.up`, WIDTH, 12)]);
  return b.linear(hidden, `${name}.down`, 12, WIDTH);
}

/** What an attention does between its projections and its product. */
export interface AttentionOptions {
  /** Where keys and values come from. @defaultValue the queries' input */
  readonly memory?: string;
  /** Changes queries and keys, `[N, tokens, heads, inner]`. */
  readonly each?: (x: string, name: string) => string;
}

/** Attention of 2 heads of 3 without a mask. */
export function attention(
  b: GraphBuilder,
  x: string,
  name: string,
  { memory = x, each = (value) => value }: AttentionOptions = {},
): string {
  const split = (from: string, part: string) =>
    b.reshape(b.linear(from, `${name}.${part}`, WIDTH, 6), 0, TOKENS, 2, 3);
  const queries = b.transpose(each(split(x, "q"), `${name}.q`), 0, 2, 1, 3);
  const keys = b.transpose(each(split(memory, "k"), `${name}.k`), 0, 2, 3, 1);
  const weights = b.op("Softmax", [b.op("MatMul", [queries, keys])], { axis: -1 });
  const mixed = b.op("MatMul", [weights, b.transpose(split(memory, "v"), 0, 2, 1, 3)]);
  const joined = b.reshape(b.transpose(mixed, 0, 2, 1, 3), 0, TOKENS, 6);
  return b.linear(joined, `${name}.o`, 6, WIDTH);
}

/** Embeds the input `x`, `[N, 4, 5]`. */
export function embed(b: GraphBuilder, name = "x"): string {
  return b.linear(b.input(name, [TOKENS, FEATURES]), `${name}.embed`, FEATURES, WIDTH);
}

/** Logits of 3 classes from the mean over tokens. */
export function head(b: GraphBuilder, x: string): string {
  return b.linear(b.op("ReduceMean", [x], { axes: [1], keepdims: 0 }), "head", WIDTH, 3);
}

/** A product with a weight of its own for each unit, or one for all. */
export function scaled(b: GraphBuilder, x: string, name: string, extent = WIDTH): string {
  return b.op("Mul", [x, b.weight(name, [extent])]);
}
