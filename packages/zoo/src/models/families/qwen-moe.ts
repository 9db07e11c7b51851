import { add, mul, sigmoid, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { gatedUnits } from "../../layers/gated-units.ts";
import { linear } from "../../layers/linear.ts";
import type { LlamaBlock } from "../../layers/llama-block.ts";
import { mixtureOfExperts } from "../../layers/mixture-of-experts.ts";
import { type LlamaKind, llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/**
 * Qwen2 with a mixture of experts in some or all blocks, and beside it a shared expert, whose results are
 * multiplied by a sigmoid. @see Qwen team, Qwen1.5-MoE, 2024
 */
export const QWEN2_MOE: ModelFamily = mixtureFamily({
  windows: "none",
  biases: (config) => ({ query: config.boolean("qkv_bias"), output: false, hidden: false }),
  // The class that is published has windows in other layers than its config says.
  only: { use_sliding_window: false },
});

/**
 * Qwen3 with a mixture of experts in some or all blocks. @see Yang et al., Qwen3 technical report, 2025,
 * section 2
 */
export const QWEN3_MOE: ModelFamily = mixtureFamily({ windows: "all asked", headNorms: () => "shared" });

/** Field of the width of the expert that reads all tokens, which one of both families has. */
const SHARED_WIDTH = "shared_expert_intermediate_size";

function mixtureFamily(kind: LlamaKind): ModelFamily {
  const narrowed = (config: ModelConfig, name: string) => ({ [name]: Math.min(config.count(name), 16) });
  return llamaFamily({
    ...kind,
    feedForward,
    narrow: (config) => ({
      num_hidden_layers: Math.min(
        config.blocks("num_hidden_layers"),
        Math.max(2, config.blocks("decoder_sparse_step")),
      ),
      ...narrowed(config, "moe_intermediate_size"),
      ...(config.has(SHARED_WIDTH) ? narrowed(config, SHARED_WIDTH) : {}),
    }),
  });
}

function feedForward({ network, config }: FamilyContext): (layer: number) => LlamaBlock["feedForward"] {
  const activation = modelActivation(config, "hidden_act");
  const mixture = {
    experts: expertsOf(config),
    routing: {
      active: config.blocks("num_experts_per_tok"),
      normalized: config.boolean("norm_topk_prob"),
    },
    hidden: config.count("moe_intermediate_size"),
    activation,
  };
  const step = config.blocks("decoder_sparse_step");
  const dense = config.has("mlp_only_layers") ? config.numbers("mlp_only_layers") : [];
  // A width that no layer has is not read: transformers writes 0.
  config.value("sliding_window");
  const units = config.has(SHARED_WIDTH) && { hidden: config.count(SHARED_WIDTH), activation };
  const seenByAll = (rows: Value, name: string): readonly Value[] => {
    if (!units) return [];
    const score = linear(network, rows, `${name}.shared_expert_gate`, { out: 1, ...GATE });
    return [mul(sigmoid(score), gatedUnits(network, rows, `${name}.shared_expert`, units))];
  };
  return (layer) =>
    dense.includes(layer) || (layer + 1) % step !== 0
      ? undefined
      : (rows, name) =>
          seenByAll(rows, `${name}.mlp`).reduce(
            (sum, results) => add(sum, results),
            mixtureOfExperts(network, rows, `${name}.mlp`, mixture),
          );
}

const GATE = { initializer: normalWeight(0.02), bias: false };

/** Reads the number of experts, which newer versions of transformers store under another name. */
function expertsOf(config: ModelConfig): number {
  return config.blocks(config.has("num_local_experts") ? "num_local_experts" : "num_experts");
}
