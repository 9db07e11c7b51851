import { at } from "@isthmus/core";
import { add, mul, reshape, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { groupedAttention } from "./grouped-attention.ts";
import { linear } from "./linear.ts";
import { type RotaryTables, rotate } from "./rotary.ts";
import { rootMeanSquareNorm } from "./row-norm.ts";

/** Extents of a block of Llama, and what all blocks of a network share. */
export interface LlamaBlock {
  /** Tokens of an example. */
  readonly length: number;
  /** Heads of queries. */
  readonly heads: number;
  /** Heads of keys and values; divides the heads of queries. */
  readonly groups: number;
  /** Dimensions of a head. */
  readonly inner: number;
  /** Hidden units of the feed-forward network. */
  readonly hidden: number;
  /** Epsilon of the norms. */
  readonly epsilon: number;
  /**
   * Which layers have biases: the projections to heads, the
   * projection from heads, and the feed-forward network.
   */
  readonly biases: { readonly query: boolean; readonly output: boolean; readonly hidden: boolean };
  readonly activation: (x: Value) => Value;
  readonly rotary: RotaryTables;
  /** Added to the scores of the attention, `[length, length]`. */
  readonly mask: Value;
}

const START = normalWeight(0.02);

/**
 * Adds a block of Llama to a network: attention with rotary positions and grouped queries, and a gated
 * feed-forward network, each behind a root-mean-square norm and added to the residual stream
 * `x [N * length, width]`.
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see Touvron et al., LLaMA: open and efficient foundation language models, 2023, section 2.2
 */
export function llamaBlock(network: NetworkBuilder, x: Value, name: string, block: LlamaBlock): Value {
  const { hidden, epsilon, biases, activation } = block;
  const width = at(x.shape, 1, "axis");
  const project = (rows: Value, layer: string, out: number, bias: boolean) =>
    linear(network, rows, `${name}.${layer}`, { out, initializer: START, bias });
  const normalized = rootMeanSquareNorm(network, x, `${name}.input_layernorm`, epsilon);
  const attended = attend(
    (layer, out) => project(normalized, `self_attn.${layer}`, out, biases.query),
    block,
  );
  const middle = add(x, project(attended, "self_attn.o_proj", width, biases.output));
  const rows = rootMeanSquareNorm(network, middle, `${name}.post_attention_layernorm`, epsilon);
  const gate = activation(project(rows, "mlp.gate_proj", hidden, biases.hidden));
  const gated = mul(gate, project(rows, "mlp.up_proj", hidden, biases.hidden));
  return add(middle, project(gated, "mlp.down_proj", width, biases.hidden));
}

/** Attends with rotary positions to queries, keys and values of separate projections. */
function attend(
  project: (layer: string, out: number) => Value,
  { length, heads, groups, inner, rotary, mask }: LlamaBlock,
): Value {
  const tokens = (layer: string, count: number) =>
    reshape(project(layer, count * inner), [-1, length, count, inner]);
  return groupedAttention({
    queries: rotate(tokens("q_proj", heads), rotary),
    keys: rotate(tokens("k_proj", groups), rotary),
    values: tokens("v_proj", groups),
    mask,
  });
}
