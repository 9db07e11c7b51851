import type { ModelConfig } from "./model-config.ts";

/** Returns fields of at most two heads, two blocks and a small vocabulary, with heads as wide as before. */
export function narrowHeads(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("num_attention_heads");
  const width = config.quotient("hidden_size", "num_attention_heads") * Math.min(heads, 2);
  return {
    hidden_size: width,
    num_attention_heads: Math.min(heads, 2),
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
