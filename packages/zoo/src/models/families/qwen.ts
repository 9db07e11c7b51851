import { llamaFamily } from "../llama-family.ts";
import type { ModelFamily } from "../model-family.ts";

/**
 * Qwen2: Llama with biases on queries, keys and values. @see Yang et al., Qwen2 technical report, 2024,
 * section 2.2
 */
export const QWEN2: ModelFamily = llamaFamily({ queryBias: true, windows: "asked", tied: true });

/**
 * Qwen3: Llama that normalises the queries and keys of each head. @see Yang et al., Qwen3 technical report,
 * 2025, section 2
 */
export const QWEN3: ModelFamily = llamaFamily({
  queryBias: false,
  windows: "asked",
  tied: false,
  headNorms: true,
  inner: 128,
});
