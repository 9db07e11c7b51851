import { at } from "@isthmus/core";
import { add, mul, reshape, split, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { type GroupedOperands, groupedAttention } from "./grouped-attention.ts";
import { linear } from "./linear.ts";
import { type RotaryTables, rotate } from "./rotary.ts";
import { type RootMeanSquareOptions, rootMeanSquareNorm } from "./row-norm.ts";

/** Extents of a block of Llama or one of its relatives, and properties that all blocks of a network share. */
export interface LlamaBlock {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads of queries. */
  readonly heads: number;
  /** Number of heads of keys and values; divides the number of heads of queries. */
  readonly groups: number;
  /** Number of dimensions of a head. */
  readonly inner: number;
  /** Number of hidden units of the feed-forward network. */
  readonly hidden: number;
  /** Options of all norms of the block. */
  readonly norm: RootMeanSquareOptions;
  /**
   * Whether layers have biases: the projections to heads, the projection from heads, and the feed-forward
   * network.
   */
  readonly biases: { readonly query: boolean; readonly output: boolean; readonly hidden: boolean };
  /** Function of the gates of the feed-forward network, by which hidden units are multiplied. */
  readonly activation: (x: Value) => Value;
  /** Tables by which queries and keys are rotated at each place. */
  readonly rotary: RotaryTables;
  /** Summand of the scores of the attention, `[length, length]`. */
  readonly mask: Value;
  /** Scale and bound of the scores. @defaultValue the usual scale, no bound */
  readonly scores?: Pick<GroupedOperands, "scale" | "cap">;
  /** Whether the queries and keys of each head are normalised before they are rotated. @defaultValue false */
  readonly headNorms?: boolean;
  /**
   * Whether the outputs of attention and feed-forward network are also normalised before they are added to
   * the stream. @defaultValue false
   */
  readonly outputNorms?: boolean;
  /**
   * Whether queries, keys and values come from one projection, and gates and units from another one.
   * @defaultValue false
   */
  readonly fused?: boolean;
  /** Adds another feed-forward network on normalised rows. @defaultValue a gated feed-forward network */
  readonly feedForward?: (rows: Value, name: string) => Value;
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
  const { outputNorms = false, feedForward = (rows) => gatedUnits(network, rows, name, block) } = block;
  const normalize = (rows: Value, layer: string) =>
    rootMeanSquareNorm(network, rows, `${name}.${layer}`, block.norm);
  // The norm between both layers has another name if the outputs of layers are normalised, too.
  const [between, behindAttention, behindUnits] = outputNorms
    ? ["pre_feedforward_layernorm", "post_attention_layernorm", "post_feedforward_layernorm"]
    : ["post_attention_layernorm"];
  const added = (rows: Value, layer: string | undefined) =>
    layer === undefined ? rows : normalize(rows, layer);
  const attended = attend(network, normalize(x, "input_layernorm"), `${name}.self_attn`, block);
  const middle = add(x, added(attended, behindAttention));
  return add(middle, added(feedForward(normalize(middle, between), name), behindUnits));
}

/** Multiplies gates by hidden units, and projects the products back to the width of the rows. */
function gatedUnits(network: NetworkBuilder, rows: Value, name: string, block: LlamaBlock): Value {
  const { hidden, biases, activation, fused = false } = block;
  const project = (x: Value, layer: string, out: number) =>
    linear(network, x, `${name}.mlp.${layer}`, { out, initializer: START, bias: biases.hidden });
  const [gates, units] = fused
    ? (split(project(rows, "gate_up_proj", 2 * hidden), 1, [hidden, hidden]) as [Value, Value])
    : [project(rows, "gate_proj", hidden), project(rows, "up_proj", hidden)];
  return project(mul(activation(gates), units), "down_proj", at(rows.shape, 1, "axis"));
}

/** Attends with rotary positions, and projects the heads back to the width of the rows. */
function attend(network: NetworkBuilder, rows: Value, name: string, block: LlamaBlock): Value {
  const { length, heads, groups, inner, norm, biases, rotary, mask, scores = {} } = block;
  const project = (x: Value, layer: string, out: number, bias: boolean) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias });
  const projectParts = (): readonly [Value, Value, Value] => {
    const counts = [heads * inner, groups * inner, groups * inner] as const;
    if (block.fused) {
      const fused = project(rows, "qkv_proj", counts[0] + counts[1] + counts[2], biases.query);
      return split(fused, 1, counts) as [Value, Value, Value];
    }
    return [
      project(rows, "q_proj", counts[0], biases.query),
      project(rows, "k_proj", counts[1], biases.query),
      project(rows, "v_proj", counts[2], biases.query),
    ];
  };
  const tokens = (part: Value, count: number) => reshape(part, [-1, length, count, inner]);
  const normalized = (part: Value, layer: string) =>
    block.headNorms ? rootMeanSquareNorm(network, part, `${name}.${layer}`, norm) : part;
  const [queries, keys, values] = projectParts();
  const mixed = groupedAttention({
    queries: rotate(normalized(tokens(queries, heads), "q_norm"), rotary),
    keys: rotate(normalized(tokens(keys, groups), "k_norm"), rotary),
    values: tokens(values, groups),
    mask,
    ...scores,
  });
  return project(mixed, "o_proj", at(rows.shape, 1, "axis"), biases.output);
}
