import { at } from "@isthmus/core";
import {
  add,
  clip,
  cumSum,
  div,
  exp,
  matMul,
  mul,
  neg,
  reduceMean,
  reshape,
  silu,
  softplus,
  split,
  sqrt,
  sub,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { constant, normal, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { convolveTokens, type TokenConvolution } from "./convolve-tokens.ts";
import { linear } from "./linear.ts";

/** Extents of a layer of Mamba 2, and properties that all layers of a network share. */
export interface DecayingAttention extends Pick<TokenConvolution, "length" | "kernel" | "activation"> {
  /** Number of heads. */
  readonly heads: number;
  /** Number of channels of a head. */
  readonly inner: number;
  /** Number of groups of heads that share what they read and write; divides the number of heads. */
  readonly groups: number;
  /** Number of states of each channel. */
  readonly states: number;
  /** Least and largest step, of which the largest may be infinite. */
  readonly limits: readonly [number, number];
  /** Number that the norm adds to the mean square. */
  readonly epsilon: number;
  /** Summand of the logarithms of decays that hides later tokens, `[length, length]`. */
  readonly mask: Value;
  /** Whether the projections from and to the stream have biases, and the convolution. */
  readonly biases: { readonly projections: boolean; readonly convolution: boolean };
}

/**
 * Adds a layer of Mamba 2: the recurrences of a head decay alike in all its channels, so that they are
 * computed as an attention without softmax whose weights decay with the steps between two tokens.
 * @param rows - `[N * length, width]`
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see Dao and Gu, Transformers are SSMs, 2024, sections 3.3 and 7.1
 */
export function decayingAttention(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  layer: DecayingAttention,
): Value {
  const { length, heads, inner, groups, states, biases } = layer;
  const channels = heads * inner;
  const project = (x: Value, part: string, out: number) =>
    linear(network, x, `${name}.${part}`, { out, initializer: TORCH_DEFAULT, bias: biases.projections });
  const shared = groups * states;
  const joint = project(rows, "in_proj", 2 * channels + 2 * shared + heads);
  const [gates, inputs, rates] = split(joint, 1, [channels, channels + 2 * shared, heads]) as Triple;
  const convolution = { ...layer, bias: biases.convolution };
  const mixed = convolveTokens(network, inputs, `${name}.conv1d`, convolution);
  const [values, writes, reads] = split(mixed, 1, [channels, shared, shared]) as Triple;
  const steps = stepsOf(network, rates, name, layer);
  const perHead = reshape(values, [-1, length, groups, heads / groups, inner]);
  const scaled = mul(perHead, reshape(steps, [-1, length, groups, heads / groups, 1]));
  const perGroup = (x: Value) => reshape(x, [-1, length, groups, 1, states]);
  const scores = matMul(
    transpose(perGroup(reads), [0, 2, 3, 1, 4]),
    transpose(perGroup(writes), [0, 2, 3, 4, 1]),
  );
  const weights = mul(scores, decaysOf(network, steps, name, layer));
  const read = transpose(matMul(weights, transpose(scaled, [0, 2, 3, 1, 4])), [0, 3, 1, 2, 4]);
  const skip = reshape(network.weight(`${name}.D`, [heads], constant(1)), [groups, heads / groups, 1]);
  const attended = reshape(add(read, mul(perHead, skip)), [-1, channels]);
  const normal = normalizeGroups(network, mul(attended, silu(gates)), `${name}.norm`, layer);
  return project(normal, "out_proj", at(rows.shape, 1, "axis"));
}

type Triple = [Value, Value, Value];

/** Returns the steps of all heads, `[N * length, heads]`, from their rates before the bias. */
function stepsOf(
  network: NetworkBuilder,
  rates: Value,
  name: string,
  { heads, limits: [least, most] }: DecayingAttention,
): Value {
  const steps = softplus(add(rates, network.weight(`${name}.dt_bias`, [heads], constant(0))));
  // Steps are above 0 in any case.
  if (least <= 0 && most === Number.POSITIVE_INFINITY) return steps;
  return clip(steps, least, most === Number.POSITIVE_INFINITY ? undefined : most);
}

/**
 * Returns the factors by which what a token wrote decays until another token, `[N, groups, heads / groups,
 * length, length]`.
 */
function decaysOf(
  network: NetworkBuilder,
  steps: Value,
  name: string,
  { length, heads, groups, mask }: DecayingAttention,
): Value {
  const rates = neg(exp(network.weight(`${name}.A_log`, [heads], normal(1))));
  const sums = cumSum(reshape(mul(steps, rates), [-1, length, groups, heads / groups]), 1);
  const perHead = transpose(sums, [0, 2, 3, 1]);
  const until = reshape(perHead, [-1, groups, heads / groups, length, 1]);
  const from = reshape(perHead, [-1, groups, heads / groups, 1, length]);
  return exp(add(sub(until, from), mask));
}

/** Divides the channels of each group by the root of their mean square, and multiplies them by a weight. */
function normalizeGroups(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  { heads, inner, groups, epsilon }: DecayingAttention,
): Value {
  const channels = heads * inner;
  const grouped = reshape(rows, [-1, groups, channels / groups]);
  const square = reduceMean(mul(grouped, grouped), { axes: [-1], keepDims: true });
  const normal = reshape(div(grouped, sqrt(add(square, epsilon))), [-1, channels]);
  return mul(normal, network.weight(`${name}.weight`, [channels], constant(1)));
}
