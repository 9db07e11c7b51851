import { normalWeight } from "../../initializer.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import type { LlamaBlock } from "../../layers/llama-block.ts";
import { llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/**
 * StarCoder 2: Llama with layer norms, biases everywhere, and a feed-forward network without gates.
 * @see Lozhkov et al., StarCoder 2 and The Stack v2, 2024, section 6.1
 */
export const STARCODER2: ModelFamily = llamaFamily({
  windows: "all",
  norm: { kind: "layer", epsilon: "norm_epsilon" },
  biases: (config) => ({ query: isBiased(config), output: isBiased(config), hidden: isBiased(config) }),
  feedForward: plainUnits,
  only: { norm_type: "layer_norm", mlp_type: "default" },
});

function isBiased(config: ModelConfig): boolean {
  return config.boolean("use_bias");
}

function plainUnits({ network, config }: FamilyContext): () => LlamaBlock["feedForward"] {
  const units = {
    hidden: config.count("intermediate_size"),
    activation: modelActivation(config, "hidden_act"),
    initializer: normalWeight(0.02),
    bias: isBiased(config),
  };
  return () => (rows, name) =>
    feedForward(network, rows, { ...units, up: `${name}.mlp.c_fc`, down: `${name}.mlp.c_proj` });
}
