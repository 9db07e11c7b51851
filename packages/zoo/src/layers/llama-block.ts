import { at } from "@isthmus/core";
import { add, mul, reshape, split, sum, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { gatedUnits } from "./gated-units.ts";
import { type GroupedOperands, groupedAttention } from "./grouped-attention.ts";
import { type HeadNorms, normalizeHeads } from "./head-norms.ts";
import { linear } from "./linear.ts";
import { type RotaryTables, rotate } from "./rotary.ts";
import { normalizeRows, type RowNormOptions } from "./row-norm.ts";

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
  /** Kind and options of the norms of rows. */
  readonly norm: RowNormOptions;
  /** Rows that are normalised. @defaultValue before */
  readonly normPlaces?: NormPlaces;
  /**
   * Whether layers have biases: the projections to heads, the projection from heads, and the feed-forward
   * network.
   */
  readonly biases: { readonly query: boolean; readonly output: boolean; readonly hidden: boolean };
  /** Function of the gates of the feed-forward network, by which hidden units are multiplied. */
  readonly activation: (x: Value) => Value;
  /** Tables by which queries and keys are rotated at each place; undefined if they have no positions. */
  readonly rotary: RotaryTables | undefined;
  /** Summand of the scores of the attention, `[length, length]`. */
  readonly mask: Value;
  /** Scale and bound of the scores. @defaultValue the usual scale, no bound */
  readonly scores?: Pick<GroupedOperands, "scale" | "cap">;
  /** Norms of queries and keys before they are rotated. @defaultValue none */
  readonly headNorms?: HeadNorms | undefined;
  /** Factor of what attention and feed-forward network add to the stream. @defaultValue 1 */
  readonly addedScale?: number;
  /**
   * Whether queries, keys and values come from one projection, and gates and units from another one.
   * @defaultValue false
   */
  readonly fused?: boolean;
  /**
   * Adds another attention on normalised rows, given the prefix of its names.
   * @defaultValue attention with grouped queries
   */
  readonly attention?: (rows: Value, name: string) => Value;
  /** Adds another feed-forward network on normalised rows. @defaultValue a gated feed-forward network */
  readonly feedForward?: (rows: Value, name: string) => Value;
}

/**
 * Rows of a block that are normalised:
 *
 * - `before`: the rows that attention and feed-forward network read;
 * - `around`: the rows that each of them reads, and the rows that it adds to the stream;
 * - `after`: the rows that each of them adds to the stream;
 * - `parallel`: the stream once, for both, whose results are added to it together.
 */
export type NormPlaces = "before" | "around" | "after" | "parallel";

/** Names of the norms of the rows that a layer reads, and of the rows that it adds. */
interface NormNames {
  readonly read?: string;
  readonly added?: string;
}

/** Names of the norms of attention and feed-forward network, in this order. */
const NORM_NAMES: Readonly<Record<Exclude<NormPlaces, "parallel">, readonly [NormNames, NormNames]>> = {
  before: [{ read: "input_layernorm" }, { read: "post_attention_layernorm" }],
  around: [
    { read: "input_layernorm", added: "post_attention_layernorm" },
    { read: "pre_feedforward_layernorm", added: "post_feedforward_layernorm" },
  ],
  after: [{ added: "post_attention_layernorm" }, { added: "post_feedforward_layernorm" }],
};

const START = normalWeight(0.02);

/**
 * Adds a block of Llama to a network: attention with rotary positions and grouped queries, and a gated
 * feed-forward network, each normalised and added to the residual stream `x [N * length, width]`.
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see Touvron et al., LLaMA: open and efficient foundation language models, 2023, section 2.2
 */
export function llamaBlock(network: NetworkBuilder, x: Value, name: string, block: LlamaBlock): Value {
  const { normPlaces = "before", addedScale = 1 } = block;
  const { hidden, activation, biases, fused = false } = block;
  const units = { hidden, activation, bias: biases.hidden, fused };
  const { feedForward = (rows) => gatedUnits(network, rows, `${name}.mlp`, units) } = block;
  const { attention = (rows, layer) => attend(network, rows, layer, block) } = block;
  const normalize = (rows: Value, layer: string | undefined) =>
    layer === undefined ? rows : normalizeRows(network, rows, `${name}.${layer}`, block.norm);
  const scaled = (rows: Value) => (addedScale === 1 ? rows : mul(rows, addedScale));
  if (normPlaces === "parallel") {
    const rows = normalize(x, "input_layernorm");
    return sum([scaled(attention(rows, `${name}.self_attn`)), scaled(feedForward(rows, name)), x]);
  }
  const [ofAttention, ofUnits] = NORM_NAMES[normPlaces];
  const attended = attention(normalize(x, ofAttention.read), `${name}.self_attn`);
  const middle = add(x, scaled(normalize(attended, ofAttention.added)));
  const added = feedForward(normalize(middle, ofUnits.read), name);
  return add(middle, scaled(normalize(added, ofUnits.added)));
}

/** Attends with rotary positions, and projects the heads back to the width of the rows. */
function attend(network: NetworkBuilder, rows: Value, name: string, block: LlamaBlock): Value {
  const { length, heads, groups, inner, biases, rotary, mask, headNorms, scores = {} } = block;
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
  const turned = (part: Value, layer: string) => {
    const normal =
      headNorms === undefined ? part : normalizeHeads(network, part, `${name}.${layer}`, headNorms);
    return rotary === undefined ? normal : rotate(normal, rotary);
  };
  const [queries, keys, values] = projectParts();
  const mixed = groupedAttention({
    queries: turned(tokens(queries, heads), "q"),
    keys: turned(tokens(keys, groups), "k"),
    values: tokens(values, groups),
    mask,
    ...scores,
  });
  return project(mixed, "o_proj", at(rows.shape, 1, "axis"), biases.output);
}
