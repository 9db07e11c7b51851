import type { LlamaBlock } from "../../layers/llama-block.ts";
import { mixtureOfExperts } from "../../layers/mixture-of-experts.ts";
import { llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/**
 * Qwen3 with a mixture of experts in some or all blocks. @see Yang et al., Qwen3 technical report, 2025,
 * section 2
 */
export const QWEN3_MOE: ModelFamily = llamaFamily({
  windows: "all asked",
  tied: false,
  headNorms: () => "shared",
  feedForward,
  narrow: (config) => ({
    num_hidden_layers: Math.min(
      config.blocks("num_hidden_layers"),
      Math.max(2, config.blocks("decoder_sparse_step", 1)),
    ),
    moe_intermediate_size: Math.min(config.count("moe_intermediate_size", 768), 16),
  }),
});

function feedForward({ network, config }: FamilyContext): (layer: number) => LlamaBlock["feedForward"] {
  const mixture = {
    experts: expertsOf(config),
    routing: {
      active: config.blocks("num_experts_per_tok", 8),
      normalized: config.boolean("norm_topk_prob", false),
    },
    hidden: config.count("moe_intermediate_size", 768),
    activation: modelActivation(config, "hidden_act", "silu"),
  };
  const step = config.blocks("decoder_sparse_step", 1);
  const dense = config.has("mlp_only_layers") ? config.numbers("mlp_only_layers") : [];
  return (layer) =>
    dense.includes(layer) || (layer + 1) % step !== 0
      ? undefined
      : (rows, name) => mixtureOfExperts(network, rows, `${name}.mlp`, mixture);
}

/** Reads the number of experts, which newer versions of transformers store under another name. */
function expertsOf(config: ModelConfig): number {
  return config.has("num_local_experts")
    ? config.blocks("num_local_experts")
    : config.blocks("num_experts", 128);
}
