import { createTextDataSet } from "@isthmus/data";
import { discoverSymmetries, verifyAlignment } from "@isthmus/symmetry";
import { matchLearned } from "@isthmus/weight-matching";
import { networkOfConfig } from "@isthmus/zoo";
import { expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { engine } from "./learned-networks.ts";

const SMALL = {
  ...{ hidden_size: 16, intermediate_size: 12, num_hidden_layers: 1 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, tie_word_embeddings: false },
};

const LATENT = {
  ...{ num_key_value_heads: 4, q_lora_rank: 6, kv_lora_rank: 6, v_head_dim: 4 },
  ...{ qk_nope_head_dim: 4, qk_rope_head_dim: 2, moe_intermediate_size: 6 },
  ...{ n_routed_experts: 4, n_shared_experts: 1, num_experts_per_tok: 2 },
};

test.each([
  [{ model_type: "granite", residual_multiplier: 0.5, logits_scaling: 4 }],
  [{ model_type: "olmo2" }],
  [{ model_type: "stablelm", qk_layernorm: true, partial_rotary_factor: 0.5 }],
  [{ model_type: "stablelm", use_qkv_bias: true, use_parallel_residual: true, partial_rotary_factor: 0.5 }],
  [{ model_type: "starcoder2", sliding_window: 3 }],
  [{ model_type: "cohere", use_qk_norm: true }],
  [{ model_type: "cohere2", sliding_window: 3, sliding_window_pattern: 1 }],
  [{ model_type: "falcon", new_decoder_architecture: true, num_kv_heads: 2, ffn_hidden_size: 12 }],
  [{ model_type: "qwen3_moe", num_experts: 3, num_experts_per_tok: 2, moe_intermediate_size: 6 }],
  [{ model_type: "deepseek_v2", ...LATENT, q_lora_rank: null }],
  [{ model_type: "deepseek_v3", ...LATENT, first_k_dense_replace: 0, n_group: 2, topk_group: 1 }],
  [{ model_type: "mamba", state_size: 3 }],
  [{ model_type: "mamba2", state_size: 3, num_heads: 4, head_dim: 8, n_groups: 2 }],
])("matchLearned() aligns two networks that started apart, and changes no logits: %j", async (fields) => {
  const text = createTextDataSet(markovText(300, 0), { context: 8 });
  const { graph, initialize } = networkOfConfig({ ...SMALL, ...fields, vocab_size: text.classes });
  const symmetries = await discoverSymmetries({ graph, engine });
  const [a, b] = [initialize(0), initialize(1)];
  const options = { seed: 0, steps: 0, batchSize: 16, streamExamples: 16 };
  const { transform } = await matchLearned({ graph, engine, symmetries }, [a, b], text, options);
  const aligned = await transform(b);
  expect(await distance(b, aligned)).toBeGreaterThan(0.1);
  expect(await verifyAlignment({ graph, engine }, [b, aligned], { seed: 3 })).toMatchObject({ passed: true });
});
