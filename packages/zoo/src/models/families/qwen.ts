import type { LlamaBlock } from "../../layers/llama-block.ts";
import { llamaFamily } from "../llama-family.ts";
import type { ModelConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";

/**
 * Qwen2: Llama with biases on queries, keys and values. @see Yang et al., Qwen2 technical report, 2024,
 * section 2.2
 */
export const QWEN2: ModelFamily = llamaFamily({ biases, windows: "asked" });

/** Queries, keys and values have biases unless the config says otherwise; the output never has. */
function biases(config: ModelConfig): LlamaBlock["biases"] {
  return {
    query: config.boolean("attention_bias", true),
    output: false,
    hidden: config.boolean("mlp_bias"),
  };
}

/**
 * Qwen3: Llama that normalises the queries and keys of each head. @see Yang et al., Qwen3 technical report,
 * 2025, section 2
 */
export const QWEN3: ModelFamily = llamaFamily({
  windows: "asked",
  headNorms: () => "shared",
});

/** Differences of Qwen with images from Qwen: its towers, and the layers from them to the stream. */
const WITH_IMAGES = {
  withImages: {
    entries: [[/visual\.(merger|deepstack_merger_list\.\d+)\.(mlp\.2|linear_fc2)\.(weight|bias)$/, 0]],
  },
  idle: /(^|\.)visual\./,
} as const satisfies Partial<ModelFamily>;

/** Qwen2-VL and 2.5-VL, whose network of texts is built. @see Wang et al., Qwen2-VL, 2024, section 2.1 */
export const QWEN2_IMAGES: ModelFamily = { ...QWEN2, ...WITH_IMAGES };

/** Qwen3-VL, whose network of texts is built. @see Bai et al., Qwen3-VL technical report, 2025, section 2 */
export const QWEN3_IMAGES: ModelFamily = { ...QWEN3, ...WITH_IMAGES };
