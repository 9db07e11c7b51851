const SMALL = {
  vocab_size: 20,
  hidden_size: 8,
  intermediate_size: 6,
  moe_intermediate_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
};

const LATENT = {
  ...{ num_key_value_heads: 2, q_lora_rank: null, kv_lora_rank: 8, qk_nope_head_dim: 4, qk_rope_head_dim: 4 },
  ...{
    v_head_dim: 4,
    n_routed_experts: 4,
    n_shared_experts: 1,
    num_experts_per_tok: 2,
    first_k_dense_replace: 1,
  },
};

/** Configs of small mixtures of experts, by family. */
export const MIXTURE_CONFIGS = {
  mixtral: {
    ...{ ...SMALL, num_key_value_heads: 1, num_local_experts: 4, num_experts_per_tok: 2 },
    ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"] },
  },
  qwen3: {
    ...{ ...SMALL, num_key_value_heads: 1, head_dim: 4, num_experts: 4, num_experts_per_tok: 2 },
    ...{ norm_topk_prob: true, model_type: "qwen3_moe", architectures: ["Qwen3MoeForCausalLM"] },
  },
  deepseek2: {
    ...{ ...SMALL, ...LATENT, topk_method: "greedy" },
    ...{ model_type: "deepseek_v2", architectures: ["DeepseekV2ForCausalLM"] },
  },
  deepseek3: {
    ...{ ...SMALL, ...LATENT, n_group: 1, topk_group: 1 },
    ...{ model_type: "deepseek_v3", architectures: ["DeepseekV3ForCausalLM"] },
  },
} as const;
