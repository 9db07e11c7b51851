import { llamaFamily } from "../llama-family.ts";
import type { ModelFamily } from "../model-family.ts";
import { shareRotary } from "../model-rotary.ts";

/**
 * StableLM: Llama with layer norms, of which a share of the dimensions is rotated.
 * @see Bellagente et al., Stable LM 2 1.6B technical report, 2024, section 2
 */
export const STABLELM: ModelFamily = llamaFamily({
  windows: "none",
  norm: { kind: "layer", epsilon: "layer_norm_eps" },
  biases: (config) => ({ query: config.boolean("use_qkv_bias"), output: false, hidden: false }),
  normPlaces: (config) => (config.boolean("use_parallel_residual") ? "parallel" : "before"),
  headNorms: (config) => (config.boolean("qk_layernorm") ? "listed" : undefined),
  rotary: shareRotary("partial_rotary_factor"),
});
