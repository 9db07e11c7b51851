import { at } from "@isthmus/core";
import { add, dropout, type Value } from "@isthmus/graph/builder";
import { type LayerInitializer, normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { feedForward } from "./feed-forward.ts";
import { linear } from "./linear.ts";
import { fusedProjection, multiHeadAttention } from "./multi-head-attention.ts";
import { rowNorm } from "./row-norm.ts";

/** Extents of a block of GPT-2, and properties that all blocks of a network share. */
export interface GptBlock {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads of the attention; divides the width of the rows. */
  readonly heads: number;
  /** Number of hidden units of the feed-forward network. */
  readonly hidden: number;
  /** Epsilon of the norms. */
  readonly epsilon: number;
  /** Function of the hidden units of the feed-forward network. */
  readonly activation: (x: Value) => Value;
  /** Summand of the scores of the attention, `[length, length]`. */
  readonly mask: Value;
  /** Initializer of the two layers whose outputs are added to the residual stream. */
  readonly streamInitializer: LayerInitializer;
  /**
   * Dropout rate of attention weights and of the summands of the residual stream in training; 0 adds no
   * operator.
   */
  readonly dropout: number;
}

const START = normalWeight(0.02);

/**
 * Adds a block of GPT-2 to a network: causal attention and a feed-forward network, each behind a layer norm
 * and added to the residual stream `x [N * length, width]`.
 * @param name - prefix of its weights, which are named and laid out as in the published checkpoints
 * @see Radford et al., Language models are unsupervised multitask learners, 2019, section 2.3
 */
export function gptBlock(network: NetworkBuilder, x: Value, name: string, block: GptBlock): Value {
  const { length, heads, hidden, epsilon, activation, mask, streamInitializer } = block;
  const drop = (value: Value) => dropout(value, block.dropout);
  const project = fusedProjection(
    network,
    rowNorm(network, x, `${name}.ln_1`, epsilon),
    `${name}.attn.c_attn`,
    {
      initializer: START,
      inputFirst: true,
    },
  );
  const attended = linear(
    network,
    multiHeadAttention(project, { length, heads, mask, drop }),
    `${name}.attn.c_proj`,
    { out: at(x.shape, 1, "axis"), initializer: streamInitializer, inputFirst: true },
  );
  const middle = add(x, drop(attended));
  const result = feedForward(network, rowNorm(network, middle, `${name}.ln_2`, epsilon), {
    up: `${name}.mlp.c_fc`,
    down: `${name}.mlp.c_proj`,
    hidden,
    activation,
    initializer: START,
    downInitializer: streamInitializer,
    inputFirst: true,
  });
  return add(middle, drop(result));
}
