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

/** Numbers of a mixture of Qwen that hold if a config does not state them. */
interface MixtureDefaults {
  /** Number of experts. */
  readonly experts: number;
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /** Width of an expert. */
  readonly hidden: number;
  /** Width of the shared expert; undefined if there is none. */
  readonly shared?: number;
}

/**
 * Qwen2 with a mixture of experts in some or all blocks, and beside it a shared expert, whose results are
 * multiplied by a sigmoid. @see Qwen team, Qwen1.5-MoE, 2024
 */
export const QWEN2_MOE: ModelFamily = mixtureFamily(
  { experts: 60, active: 4, hidden: 1408, shared: 5632 },
  {
    windows: "none",
    biases: (config) => ({ query: config.boolean("qkv_bias", true), output: false, hidden: false }),
    // The class that is published has windows in other layers than its config says.
    only: { use_sliding_window: false },
  },
);

/**
 * Qwen3 with a mixture of experts in some or all blocks. @see Yang et al., Qwen3 technical report, 2025,
 * section 2
 */
export const QWEN3_MOE: ModelFamily = mixtureFamily(
  { experts: 128, active: 8, hidden: 768 },
  { windows: "all asked", headNorms: () => "shared" },
);

function mixtureFamily(defaults: MixtureDefaults, kind: Omit<LlamaKind, "tied">): ModelFamily {
  const { hidden, shared } = defaults;
  const narrowed = (config: ModelConfig, name: string, width: number) => ({
    [name]: Math.min(config.count(name, width), 16),
  });
  return llamaFamily({
    tied: false,
    ...kind,
    feedForward: (context) => feedForward(context, defaults),
    narrow: (config) => ({
      num_hidden_layers: Math.min(
        config.blocks("num_hidden_layers"),
        Math.max(2, config.blocks("decoder_sparse_step", 1)),
      ),
      ...narrowed(config, "moe_intermediate_size", hidden),
      ...(shared === undefined ? {} : narrowed(config, "shared_expert_intermediate_size", shared)),
    }),
  });
}

function feedForward(
  { network, config }: FamilyContext,
  defaults: MixtureDefaults,
): (layer: number) => LlamaBlock["feedForward"] {
  const activation = modelActivation(config, "hidden_act", "silu");
  const mixture = {
    experts: expertsOf(config, defaults.experts),
    routing: {
      active: config.blocks("num_experts_per_tok", defaults.active),
      normalized: config.boolean("norm_topk_prob", false),
    },
    hidden: config.count("moe_intermediate_size", defaults.hidden),
    activation,
  };
  const step = config.blocks("decoder_sparse_step", 1);
  const dense = config.has("mlp_only_layers") ? config.numbers("mlp_only_layers") : [];
  // A width that no layer has is not read: transformers writes 0.
  config.value("sliding_window");
  const units = defaults.shared && {
    hidden: config.count("shared_expert_intermediate_size", defaults.shared),
    activation,
  };
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
function expertsOf(config: ModelConfig, fallback: number): number {
  return config.has("num_local_experts")
    ? config.blocks("num_local_experts")
    : config.blocks("num_experts", fallback);
}
