import { gather, reshape, type Value } from "@isthmus/graph/builder";
import { normal } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { type LlamaBlock, llamaBlock } from "../../layers/llama-block.ts";
import { rootMeanSquareNorm } from "../../layers/row-norm.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";

/** Defaults in which the relatives of Llama differ. */
interface Kind {
  /** Whether projections to queries, keys and values have biases if the config does not say. */
  readonly queryBias: boolean;
  /** Whether `sliding_window` applies to all layers, without the field `use_sliding_window`. */
  readonly window: boolean;
  /** Whether the embedding is also the head if the config does not say. */
  readonly tied: boolean;
}

/** Llama, of any version up to 3. @see Touvron et al., LLaMA, 2023, section 2.2 */
export const LLAMA: ModelFamily = createFamily({ queryBias: false, window: false, tied: false });
/** Mistral: Llama that sees a window. @see Jiang et al., Mistral 7B, 2023, section 2 */
export const MISTRAL: ModelFamily = createFamily({ queryBias: false, window: true, tied: false });
/**
 * Qwen2: Llama with biases on queries, keys and values. @see Yang et al., Qwen2 technical report, 2024,
 * section 2.2
 */
export const QWEN2: ModelFamily = createFamily({ queryBias: true, window: false, tied: true });

function createFamily(kind: Kind): ModelFamily {
  return { build: (context) => build(context, kind), narrow, idle: /rotary_emb\.inv_freq$/ };
}

/** Extents that all blocks share, and the mask of each. */
interface Blocks {
  readonly shared: Omit<LlamaBlock, "mask">;
  readonly maskOf: (layer: number) => Value;
}

function build(context: FamilyContext, kind: Kind): FamilyOutputs {
  const { network, config, length, has } = context;
  const width = config.count("hidden_size");
  const prefix = has?.("embed_tokens.weight") ? "" : "model.";
  const vocabulary = config.count("vocab_size");
  const ids = network.input("ids", [length], "i64");
  const embedding = network.weight(`${prefix}embed_tokens.weight`, [vocabulary, width], normal(0.02));
  const { shared, maskOf } = readBlocks(context, kind);
  let x = reshape(gather(embedding, ids), [-1, width]);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    x = llamaBlock(network, x, `${prefix}layers.${i}`, { ...shared, mask: maskOf(i) });
  }
  const rows = rootMeanSquareNorm(network, x, `${prefix}norm`, shared.epsilon);
  return languageHead(context, { rows, embedding, name: "lm_head", tied: kind.tied });
}

function readBlocks(context: FamilyContext, kind: Kind): Blocks {
  const { queryBias } = kind;
  const { config, length } = context;
  const heads = config.count("num_attention_heads");
  const inner = headExtent(config);
  if (config.has("num_key_value_heads")) config.quotient("num_attention_heads", "num_key_value_heads");
  const biased = config.boolean("attention_bias", queryBias);
  const shared = {
    length,
    heads,
    groups: config.count("num_key_value_heads", heads),
    inner,
    hidden: config.count("intermediate_size"),
    epsilon: config.number("rms_norm_eps", 1e-6),
    biases: { query: biased, output: biased && !queryBias, hidden: config.boolean("mlp_bias", false) },
    activation: modelActivation(config, "hidden_act", "silu"),
    rotary: modelRotary(context, { inner, base: "rope_theta" }),
  };
  return { shared, maskOf: createMasks(context, kind) };
}

/**
 * Creates the masks of layers: with a window, all layers of Mistral see only that many tokens, and of Qwen2
 * the layers from `max_window_layers` on.
 */
function createMasks({ network, config, length }: FamilyContext, kind: Kind): Blocks["maskOf"] {
  const mask = (seen: number) => network.graph.numbers(causalMask(length, seen), "f32", [length, length]);
  const whole = mask(length);
  const isWindowed = config.has("sliding_window") && config.boolean("use_sliding_window", kind.window);
  if (!isWindowed || config.count("sliding_window") >= length) return () => whole;
  const window = mask(config.count("sliding_window"));
  const first = kind.window ? 0 : config.number("max_window_layers", 28);
  return (layer) => (layer < first ? whole : window);
}

function headExtent(config: ModelConfig): number {
  return config.has("head_dim")
    ? config.count("head_dim")
    : config.quotient("hidden_size", "num_attention_heads");
}

/**
 * Returns fields for two blocks of two groups each; groups
 * have as many heads as before, heads as many dimensions.
 */
function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("num_attention_heads");
  const groups = config.count("num_key_value_heads", heads);
  const inner = headExtent(config);
  const fewGroups = Math.min(groups, 2);
  const fewHeads = (heads / groups) * fewGroups;
  const width = Math.min(config.count("hidden_size"), fewHeads * inner);
  return {
    hidden_size: width,
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    num_attention_heads: fewHeads,
    num_key_value_heads: fewGroups,
    head_dim: inner,
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
