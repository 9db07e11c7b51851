import { at } from "@isthmus/core";
import { reshape, split, sum, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import { groupedAttention } from "../../layers/grouped-attention.ts";
import { linear } from "../../layers/linear.ts";
import { rotate } from "../../layers/rotary.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { buildRotaryDecoder, type RotaryBlock, type RotaryDecoder } from "../rotary-decoder.ts";

/**
 * Falcon, of both architectures, with rotary positions.
 * @see Almazrouei et al., The Falcon series of open language models, 2023, section 4
 */
export const FALCON: ModelFamily = {
  build,
  narrow,
  idle: /rotary_emb\.inv_freq$/,
};

const START = normalWeight(0.02);

const DECODER: RotaryDecoder = {
  embedding: "word_embeddings",
  prefix: "transformer.",
  blocks: "h",
  activation: "activation",
  epsilon: "layer_norm_epsilon",
  hidden: hiddenOf,
  rotary: { base: "rope_theta" },
  norm: "ln_f",
  head: { name: "lm_head" },
};

/** Names of the norms whose rows attention and feed-forward network read. */
interface NormNames {
  readonly attention: string;
  readonly units: string;
}

/** Norms of the newer architecture, each of its own. */
const SEPARATE: NormNames = { attention: "ln_attn", units: "ln_mlp" };

/** One norm for both layers. */
const SHARED: NormNames = { attention: "input_layernorm", units: "input_layernorm" };

/** Norms of attention and of the sum after it. */
const CONSECUTIVE: NormNames = { attention: "input_layernorm", units: "post_attention_layernorm" };

interface Block extends RotaryBlock {
  readonly groups: number;
  readonly bias: boolean;
  readonly norms: NormNames;
}

function build(context: FamilyContext): FamilyOutputs {
  const { config } = context;
  config.require("n_embed");
  const ofFalcon = { groups: groupsOf(config), bias: config.boolean("bias"), norms: normsOf(config) };
  return buildRotaryDecoder(context, DECODER, (x, name, block) =>
    addBlock(context, x, name, { ...block, ...ofFalcon }),
  );
}

function addBlock(context: FamilyContext, x: Value, name: string, block: Block): Value {
  const { network } = context;
  const { hidden, epsilon, activation, bias, norms } = block;
  const normalize = (rows: Value, layer: string) => rowNorm(network, rows, `${name}.${layer}`, epsilon);
  const units = (rows: Value) =>
    feedForward(network, rows, {
      up: `${name}.mlp.dense_h_to_4h`,
      down: `${name}.mlp.dense_4h_to_h`,
      hidden,
      activation,
      initializer: START,
      bias,
    });
  const first = normalize(x, norms.attention);
  const attended = attend(context, first, `${name}.self_attention`, block);
  if (norms === CONSECUTIVE) {
    const middle = sum([x, attended]);
    return sum([middle, units(normalize(middle, norms.units))]);
  }
  return sum([attended, units(norms === SHARED ? first : normalize(x, norms.units)), x]);
}

/** Attends with a fused projection in which the queries of a group are followed by its key and its value. */
function attend({ network }: FamilyContext, rows: Value, name: string, block: Block): Value {
  const { length, heads, groups, inner, bias, rotary, mask } = block;
  const shared = heads / groups;
  const project = (value: Value, layer: string, out: number) =>
    linear(network, value, `${name}.${layer}`, { out, initializer: START, bias });
  const all = project(rows, "query_key_value", groups * (shared + 2) * inner);
  const fused = reshape(all, [-1, length, groups, shared + 2, inner]);
  const [queries, keys, values] = split(fused, 3, [shared, 1, 1]) as [Value, Value, Value];
  const tokens = (part: Value, count: number) => reshape(part, [-1, length, count, inner]);
  const mixed = groupedAttention({
    queries: rotate(tokens(queries, heads), rotary),
    keys: rotate(tokens(keys, groups), rotary),
    values: tokens(values, groups),
    mask,
  });
  return project(mixed, "dense", at(rows.shape, 1, "axis"));
}

function isNew(config: ModelConfig): boolean {
  return config.boolean("new_decoder_architecture");
}

/** Returns the number of heads of keys and values. */
function groupsOf(config: ModelConfig): number {
  const heads = config.count("num_attention_heads");
  if (!isNew(config)) return config.boolean("multi_query") ? 1 : heads;
  if (!config.has("num_kv_heads")) return heads;
  config.quotient("num_attention_heads", "num_kv_heads");
  return config.count("num_kv_heads");
}

/** Returns the norms of a block. @throws UnsupportedError for norms that no published model has */
function normsOf(config: ModelConfig): NormNames {
  if (isNew(config)) {
    config.require("parallel_attn", true);
    return config.count("num_ln_in_parallel_attn", 2) === 2 ? SEPARATE : SHARED;
  }
  config.require("num_ln_in_parallel_attn", 1);
  return config.boolean("parallel_attn") ? SHARED : CONSECUTIVE;
}

function hiddenOf(config: ModelConfig): number {
  return config.count("ffn_hidden_size", 4 * config.count("hidden_size"));
}

/** Returns fields for at most two groups of two heads, two blocks and a small vocabulary. */
function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("num_attention_heads");
  const inner = config.quotient("hidden_size", "num_attention_heads");
  const groups = groupsOf(config);
  const few = Math.min(groups, 2);
  const fewHeads = few * Math.min(heads / groups, 2);
  const width = inner * fewHeads;
  return {
    hidden_size: width,
    num_attention_heads: fewHeads,
    num_kv_heads: few,
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    ffn_hidden_size: Math.min(hiddenOf(config), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
