import type { ModelConfig } from "./model-config.ts";

/** Returns fields for at most two heads and two blocks; the width of heads is unchanged. */
export function narrowWidth(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("num_attention_heads");
  const width = config.quotient("hidden_size", "num_attention_heads") * Math.min(heads, 2);
  return {
    hidden_size: width,
    num_attention_heads: Math.min(heads, 2),
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
  };
}

/**
 * Returns fields for at most two heads, two blocks and a small vocabulary; the width of heads is unchanged.
 */
export function narrowHeads(config: ModelConfig): Readonly<Record<string, number>> {
  return { ...narrowWidth(config), vocab_size: Math.min(config.count("vocab_size"), 64) };
}

/**
 * Returns fields for two blocks of two groups of heads each; the number of heads of a group and of number of
 * dimensions of a head is unchanged, and the stream is two heads wide.
 * @param inner - dimensions of a head
 */
export function narrowGroups(config: ModelConfig, inner: number): Readonly<Record<string, number>> {
  const heads = config.count("num_attention_heads");
  const groups = config.count("num_key_value_heads", heads);
  const fewGroups = Math.min(groups, 2);
  const width = Math.min(config.count("hidden_size"), 2 * inner);
  return {
    hidden_size: width,
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    num_attention_heads: (heads / groups) * fewGroups,
    num_key_value_heads: fewGroups,
    head_dim: inner,
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
