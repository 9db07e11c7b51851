import { isWindowed, type WindowRule } from "../layer-masks.ts";
import { type LlamaKind, llamaFamily, type RotaryOf } from "../llama-family.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";

/** Differences of both versions of Cohere from Llama. */
const COHERE_KIND = {
  norm: { kind: "unbiased", epsilon: "layer_norm_eps" },
  normPlaces: () => "parallel",
  factors: (config) => ({ logits: config.number("logit_scale") }),
  biases: (config) => {
    const biased = config.boolean("attention_bias");
    return { query: biased, output: biased, hidden: false };
  },
  only: {
    use_parallel_block: true,
    use_gated_activation: true,
    position_embedding_type: "rope_gptj",
    rotary_pct: 1,
  },
} satisfies Partial<LlamaKind>;

/** Rule for layers of Cohere 2 that see a window: three of four. */
const THREE_OF_FOUR: WindowRule = { field: "sliding_window_pattern", period: 4 };

/**
 * Cohere's Command R: Llama with one layer norm for attention and feed-forward network of a block, and pairs
 * of neighbouring dimensions that are rotated. @see the class CohereModel of the library transformers
 */
export const COHERE: ModelFamily = llamaFamily({
  ...COHERE_KIND,
  windows: "none",
  headNorms: (config) => (config.boolean("use_qk_norm") ? "rows" : undefined),
  rotary: (context, inner) => {
    const tables = modelRotary(context, { ...NEIGHBOURS, inner });
    return () => tables;
  },
});

/**
 * Cohere's Command R7B and A: three of four layers see a window, and the others the whole text without
 * positions. @see Cohere, Command A, 2025, section 2.1
 */
export const COHERE2: ModelFamily = llamaFamily({
  ...COHERE_KIND,
  windows: THREE_OF_FOUR,
  rotary: windowRotary,
  only: { ...COHERE_KIND.only, use_qk_norm: false, order_of_interleaved_layers: "local_attn_first" },
});

/** Rotation of pairs of neighbouring dimensions. */
const NEIGHBOURS = { base: "rope_theta", neighbours: true } as const;

/** Returns rotary positions for the layers that see a window alone. */
function windowRotary(context: FamilyContext, inner: number): RotaryOf {
  const tables = modelRotary(context, { ...NEIGHBOURS, inner });
  return (layer) => (isWindowed(context.config, THREE_OF_FOUR, layer) ? tables : undefined);
}
