import { add } from "@isthmus/graph/builder";
import { gatedUnits } from "../../layers/gated-units.ts";
import type { LlamaBlock } from "../../layers/llama-block.ts";
import { mixtureOfExperts } from "../../layers/mixture-of-experts.ts";
import { llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/**
 * DeepSeek's first mixture: Llama with shared experts beside a mixture of experts, which is also the form of
 * mixtures that are made from models of Llama's form.
 * @see Dai et al., DeepSeekMoE, 2024, section 3
 */
export const DEEPSEEK_MOE: ModelFamily = llamaFamily({
  windows: "none",
  only: { scoring_func: "softmax", mlp_bias: false },
  feedForward,
  narrow: (config) => ({ moe_intermediate_size: Math.min(config.count("moe_intermediate_size"), 16) }),
});

function feedForward({ network, config }: FamilyContext): (layer: number) => LlamaBlock["feedForward"] {
  const units = {
    hidden: config.count("moe_intermediate_size"),
    activation: modelActivation(config, "hidden_act"),
  };
  const active = config.blocks("num_experts_per_tok");
  const mixture = {
    ...units,
    experts: config.blocks("n_routed_experts"),
    // The published code normalises nothing if a token has one expert.
    routing: { active, normalized: active > 1 && config.boolean("norm_topk_prob") },
  };
  const shared = config.has("n_shared_experts") ? config.blocks("n_shared_experts") * units.hidden : 0;
  const dense = config.index("first_k_dense_replace");
  const step = config.blocks("moe_layer_freq");
  return (layer) =>
    layer < dense || layer % step !== 0
      ? undefined
      : (rows, block) => {
          const mixed = mixtureOfExperts(network, rows, `${block}.mlp`, mixture);
          if (shared === 0) return mixed;
          const name = `${block}.mlp.shared_experts`;
          return add(mixed, gatedUnits(network, rows, name, { ...units, hidden: shared }));
        };
}
