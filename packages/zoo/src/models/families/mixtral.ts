import type { LlamaBlock } from "../../layers/llama-block.ts";
import { mixtureOfExperts } from "../../layers/mixture-of-experts.ts";
import { llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/** Mixtral: Mistral with a mixture of experts in each block. @see Jiang et al., Mixtral of experts, 2024 */
export const MIXTRAL: ModelFamily = llamaFamily({
  windows: "all",
  feedForward,
});

function feedForward({ network, config }: FamilyContext): () => LlamaBlock["feedForward"] {
  const mixture = {
    experts: config.blocks("num_local_experts"),
    routing: { active: config.blocks("num_experts_per_tok"), normalized: true },
    hidden: config.count("intermediate_size"),
    activation: modelActivation(config, "hidden_act"),
    layers: { gates: "w1", up: "w3", down: "w2" },
  };
  return () => (rows, name) => mixtureOfExperts(network, rows, `${name}.block_sparse_moe`, mixture);
}
