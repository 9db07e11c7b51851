import { llamaFamily, type Scoring } from "../llama-family.ts";
import type { ModelConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";

/**
 * Granite 3: Llama whose embeddings, scores, logits, and summands of the stream have factors.
 * @see Granite Team, Granite 3.0 language models, 2024, section 2
 */
export const GRANITE: ModelFamily = llamaFamily({
  windows: "none",
  tied: false,
  factors: (config) => ({
    embedding: config.number("embedding_multiplier", 1),
    added: config.number("residual_multiplier", 1),
    logits: 1 / config.positive("logits_scaling", 1),
  }),
  scoring,
});

function scoring(config: ModelConfig): Scoring {
  return { scale: config.number("attention_multiplier", 1), cap: undefined, logitCap: undefined };
}
