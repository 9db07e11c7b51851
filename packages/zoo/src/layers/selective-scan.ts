import { at } from "@isthmus/core";
import {
  add,
  exp,
  mul,
  neg,
  pad,
  reduceSum,
  reshape,
  silu,
  slice,
  softplus,
  split,
  type Value,
} from "@isthmus/graph/builder";
import { constant, normal, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { convolveTokens, type TokenConvolution } from "./convolve-tokens.ts";
import { linear } from "./linear.ts";

/** Extents of a layer of Mamba, and properties that all layers of a network share. */
export interface SelectiveScan extends Pick<TokenConvolution, "length" | "kernel" | "activation"> {
  /** Number of channels that are scanned. */
  readonly channels: number;
  /** Number of states of each channel. */
  readonly states: number;
  /** Length of the row from which the steps of all channels come. */
  readonly rank: number;
  /** Whether the projections from and to the stream have biases, and the convolution. */
  readonly biases: { readonly projections: boolean; readonly convolution: boolean };
}

/**
 * Adds a layer of Mamba: the channels of each token are convolved with earlier tokens, and scanned by linear
 * recurrences whose coefficients depend on the token; gates multiply the results.
 * @param rows - `[N * length, width]`
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see Gu and Dao, Mamba, 2023, sections 3.2 and 3.4
 */
export function selectiveScan(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  layer: SelectiveScan,
): Value {
  const { length, channels, states, rank, biases } = layer;
  const project = (x: Value, part: string, out: number, bias: boolean) =>
    linear(network, x, `${name}.${part}`, { out, initializer: TORCH_DEFAULT, bias });
  const joint = project(rows, "in_proj", 2 * channels, biases.projections);
  const [inner, gates] = split(joint, 1, [channels, channels]) as [Value, Value];
  const mixed = convolveTokens(network, inner, `${name}.conv1d`, { ...layer, bias: biases.convolution });
  const chosen = project(mixed, "x_proj", rank + 2 * states, false);
  const [short, writes, reads] = split(chosen, 1, [rank, states, states]) as [Value, Value, Value];
  const steps = softplus(project(short, "dt_proj", channels, true));
  const perChannel = (x: Value) => reshape(x, [-1, length, channels, 1]);
  const perState = (x: Value) => reshape(x, [-1, length, 1, states]);
  const logarithms = network.weight(`${name}.A_log`, [channels, states], normal(1));
  const scanned = scanTokens(
    exp(mul(perChannel(steps), neg(exp(logarithms)))),
    mul(perChannel(mul(steps, mixed)), perState(writes)),
  );
  const read = reshape(reduceSum(mul(scanned, perState(reads)), { axes: [3] }), [-1, channels]);
  const direct = mul(mixed, network.weight(`${name}.D`, [channels], constant(1)));
  const gated = mul(add(read, direct), silu(gates));
  return project(gated, "out_proj", at(rows.shape, 1, "axis"), biases.projections);
}

/**
 * Returns the states `h_t = a_t h_(t-1) + b_t` of all tokens, `[N, length, ...]`, from `h_(-1) = 0`.
 *
 * Recurrences over 1, 2, 4, ... tokens are composed, so that the graph grows with the logarithm of the
 * length.
 * @param factors - `a`, `[N, length, ...]`
 * @param summands - `b`, `[N, length, ...]`
 * @see Blelloch, Prefix sums and their applications, 1990, section 1.4
 */
function scanTokens(factors: Value, summands: Value): Value {
  const length = at(summands.shape, 1, "axis");
  let [a, b] = [factors, summands];
  for (let step = 1; step < length; step *= 2) {
    b = add(b, mul(a, delay(b, step)));
    if (2 * step < length) a = mul(a, delay(a, step));
  }
  return b;
}

/** Moves the values of all tokens to those `step` later, with zeros for the first ones. */
function delay(x: Value, step: number): Value {
  const [length, axes] = [at(x.shape, 1, "axis"), x.shape.length];
  const earlier = slice(x, [{ axis: 1, begin: 0, end: length - step }]);
  const zeros = Array<number>(axes).fill(0);
  return pad(earlier, zeros.with(1, step), zeros);
}
