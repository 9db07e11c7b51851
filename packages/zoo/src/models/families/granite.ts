import { llamaFamily, type Scoring } from "../llama-family.ts";
import type { ModelConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";

/**
 * Granite 3: Llama whose embeddings, scores, logits, and summands of the stream have factors.
 * @see Granite Team, Granite 3.0 language models, 2024, section 2
 */
export const GRANITE: ModelFamily = llamaFamily({
  windows: "none",
  factors: (config) => ({
    embedding: config.number("embedding_multiplier"),
    added: config.number("residual_multiplier"),
    logits: 1 / config.positive("logits_scaling"),
  }),
  scoring,
});

function scoring(config: ModelConfig): Scoring {
  return { scale: config.number("attention_multiplier"), cap: undefined, logitCap: undefined };
}
