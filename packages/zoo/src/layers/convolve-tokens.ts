import { at } from "@isthmus/core";
import { conv, reshape, transpose, type Value } from "@isthmus/graph/builder";
import { constant, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Options of {@link convolveTokens}. */
export interface TokenConvolution {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of tokens that the convolution sees: a token and those before it. */
  readonly kernel: number;
  /** Function of the convolved channels. */
  readonly activation: (x: Value) => Value;
  /** Whether each channel has a bias. */
  readonly bias: boolean;
}

/**
 * Convolves each channel of the rows `[N * length, channels]` with its own kernel over a token and earlier
 * ones, with the weights `name.weight` and `name.bias`.
 */
export function convolveTokens(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  { length, kernel, activation, bias }: TokenConvolution,
): Value {
  const channels = at(rows.shape, 1, "axis");
  const start = TORCH_DEFAULT.weight(kernel, kernel);
  const weight = network.weight(`${name}.weight`, [channels, 1, kernel], start);
  const shift = bias ? { bias: network.weight(`${name}.bias`, [channels], constant(0)) } : {};
  const channelsFirst = transpose(reshape(rows, [-1, length, channels]), [0, 2, 1]);
  const convolved = conv(channelsFirst, weight, { group: channels, pads: [kernel - 1, 0], ...shift });
  return reshape(transpose(activation(convolved), [0, 2, 1]), [-1, channels]);
}
