import { DENSE_PARTS, type MixtureLayout } from "./mixture-layout.ts";

/** Repository of the Python code of DeepSeek's first mixtures, which transformers has no class for. */
const DEEPSEEK_CODE = "deepseek-ai/deepseek-moe-16b-base";

/** Layouts of mixtures, in the order in which the first that carries the models is taken. */
export const MIXTURE_LAYOUTS: readonly MixtureLayout[] = [
  {
    name: "Mixtral",
    modelType: "mixtral",
    architecture: "MixtralForCausalLM",
    carries: ["windows", "wideHeads"],
    hasInputBiases: false,
    hasDenseLayers: false,
    shared: "none",
    block: "block_sparse_moe",
    sharedBlock: "",
    parts: { gate_proj: "w1", up_proj: "w3", down_proj: "w2" },
    fields: ({ base, experts, active }) => ({
      num_local_experts: experts,
      num_experts_per_tok: active,
      sliding_window: base.traits.has("windows") ? base.config["sliding_window"] : null,
    }),
  },
  {
    name: "DeepSeek MoE",
    modelType: "deepseek",
    architecture: "DeepseekForCausalLM",
    carries: ["attentionBiases"],
    hasInputBiases: false,
    hasDenseLayers: true,
    shared: "plain",
    block: "mlp",
    sharedBlock: "shared_experts",
    parts: DENSE_PARTS,
    alone:
      "does not normalise the share of an expert if a token is sent to one alone, as published: each expert's output is multiplied by its share, below 1, which differs from the dense model; experts_per_token: 2 or more, or another layout, normalises",
    fields: ({ base, experts, active, shared, dense }) => ({
      n_routed_experts: experts,
      n_shared_experts: shared === 0 ? null : shared,
      num_experts_per_tok: active,
      moe_intermediate_size: base.hidden,
      first_k_dense_replace: dense,
      moe_layer_freq: 1,
      scoring_func: "softmax",
      norm_topk_prob: true,
      attention_bias: base.traits.has("attentionBiases"),
      auto_map: {
        AutoConfig: `${DEEPSEEK_CODE}--configuration_deepseek.DeepseekConfig`,
        AutoModel: `${DEEPSEEK_CODE}--modeling_deepseek.DeepseekModel`,
        AutoModelForCausalLM: `${DEEPSEEK_CODE}--modeling_deepseek.DeepseekForCausalLM`,
      },
    }),
  },
  {
    name: "Qwen MoE",
    modelType: "qwen2_moe",
    architecture: "Qwen2MoeForCausalLM",
    carries: ["inputBiases", "wideHeads"],
    hasInputBiases: true,
    hasDenseLayers: true,
    shared: "gated",
    block: "mlp",
    sharedBlock: "shared_expert",
    parts: DENSE_PARTS,
    fields: ({ base, experts, active, sharedHidden, dense }) => ({
      num_experts: experts,
      num_experts_per_tok: active,
      moe_intermediate_size: base.hidden,
      shared_expert_intermediate_size: sharedHidden,
      decoder_sparse_step: 1,
      mlp_only_layers: firstLayers(dense),
      norm_topk_prob: true,
      qkv_bias: true,
      use_sliding_window: false,
    }),
  },
  {
    name: "Qwen3 MoE",
    modelType: "qwen3_moe",
    architecture: "Qwen3MoeForCausalLM",
    carries: ["headNorms", "attentionBiases", "wideHeads", "windows"],
    requires: "headNorms",
    hasInputBiases: false,
    hasDenseLayers: true,
    shared: "none",
    block: "mlp",
    sharedBlock: "",
    parts: DENSE_PARTS,
    fields: ({ base, experts, active, dense }) => ({
      num_experts: experts,
      num_experts_per_tok: active,
      moe_intermediate_size: base.hidden,
      decoder_sparse_step: 1,
      mlp_only_layers: firstLayers(dense),
      norm_topk_prob: true,
      attention_bias: base.traits.has("attentionBiases"),
      use_sliding_window: base.traits.has("windows"),
      sliding_window: base.traits.has("windows") ? base.config["sliding_window"] : null,
    }),
  },
];

/** Lists the indices of the first layers. */
function firstLayers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, layer) => layer);
}
