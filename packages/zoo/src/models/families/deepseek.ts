import { add } from "@isthmus/graph/builder";
import { constant } from "../../initializer.ts";
import { gatedUnits } from "../../layers/gated-units.ts";
import { type LatentAttention, latentAttention } from "../../layers/latent-attention.ts";
import type { LlamaBlock } from "../../layers/llama-block.ts";
import { mixtureOfExperts } from "../../layers/mixture-of-experts.ts";
import type { ExpertGroups, Routing } from "../../layers/route-tokens.ts";
import { layerMasks } from "../layer-masks.ts";
import { type LlamaKind, llamaFamily } from "../llama-family.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";
import { modelRotary, rotaryScaling } from "../model-rotary.ts";
import { scalingKind, yarnMagnitude } from "../scale-rotary.ts";

/** Differences between both versions of DeepSeek. */
interface DeepSeekKind extends Pick<LlamaKind, "only"> {
  /** Returns whether the dimensions of a rotated pair are neighbours. */
  readonly neighbours: (config: ModelConfig) => boolean;
  /** Returns the rule by which tokens are sent to experts, given the prefix of the router's names. */
  readonly routing: (context: FamilyContext, name: string) => Routing;
}

/**
 * DeepSeek V2: Llama with keys and values from short rows, and shared experts beside a mixture of experts.
 * @see DeepSeek-AI, DeepSeek-V2, 2024, section 2
 */
export const DEEPSEEK2: ModelFamily = deepSeek({
  neighbours: () => true,
  only: { scoring_func: "softmax", norm_topk_prob: false, moe_layer_freq: 1 },
  routing: ({ config }) => {
    const isGrouped = config.choice("topk_method", ["greedy", "group_limited_greedy"]) !== "greedy";
    return {
      active: config.blocks("num_experts_per_tok"),
      normalized: false,
      groups: isGrouped ? { ...groupsOf(config), best: 1 } : undefined,
      factor: config.number("routed_scaling_factor"),
    };
  },
});

/**
 * DeepSeek V3 and R1: V2 whose experts are chosen by biased sigmoids in groups; predictions of further tokens
 * are not built. @see DeepSeek-AI, DeepSeek-V3 technical report, 2024, section 2.1
 */
export const DEEPSEEK3: ModelFamily = deepSeek({
  neighbours: (config) => config.boolean("rope_interleave"),
  only: { scoring_func: "sigmoid", topk_method: "noaux_tc", moe_layer_freq: 1, mlp_bias: false },
  routing: ({ network, config }, name) => ({
    active: config.blocks("num_experts_per_tok"),
    normalized: config.boolean("norm_topk_prob"),
    probabilities: "sigmoid",
    bias: network.weight(
      `${name}.gate.e_score_correction_bias`,
      [config.blocks("n_routed_experts")],
      constant(0),
    ),
    groups: { ...groupsOf(config), best: 2 },
    factor: config.number("routed_scaling_factor"),
  }),
});

function deepSeek(kind: DeepSeekKind): ModelFamily {
  return llamaFamily({
    windows: "none",
    inner: (config) => latentExtents(config).plain + latentExtents(config).turned,
    attention: (context) => attend(context, kind),
    feedForward: (context) => feedForward(context, kind),
    narrow,
    ...(kind.only === undefined ? {} : { only: kind.only }),
  });
}

/** Reads the extents of heads and of short rows; queries have no short rows if `q_lora_rank` is null. */
function latentExtents(config: ModelConfig) {
  return {
    queryRank: config.has("q_lora_rank") ? config.count("q_lora_rank") : undefined,
    rank: config.count("kv_lora_rank"),
    plain: config.count("qk_nope_head_dim"),
    turned: config.count("qk_rope_head_dim"),
    values: config.count("v_head_dim"),
  };
}

/** Returns the attention of all blocks. */
function attend(context: FamilyContext, kind: DeepSeekKind): () => LlamaBlock["attention"] {
  const { network, config, length } = context;
  const extents = latentExtents(config);
  const { plain, turned } = extents;
  const heads = config.count("num_attention_heads");
  config.require("num_key_value_heads", heads);
  const block: LatentAttention = {
    ...extents,
    length,
    heads,
    bias: config.boolean("attention_bias"),
    rotary: modelRotary(context, { inner: turned, base: "rope_theta", neighbours: kind.neighbours(config) }),
    mask: layerMasks(context, "none")(0),
    scale: sharpness(config) / Math.sqrt(plain + turned),
  };
  return () => (rows, name) => latentAttention(network, rows, name, block);
}

/** Returns the factor by which scores are sharpened for long texts. */
function sharpness(config: ModelConfig): number {
  const scaling = rotaryScaling(config);
  const weight = scaling?.number("mscale_all_dim", 0) ?? 0;
  if (scaling === undefined || weight === 0 || scalingKind(scaling) === "default") return 1;
  return yarnMagnitude(scaling.positive("factor"), weight) ** 2;
}

/** Returns the feed-forward networks of blocks: dense ones first, then shared experts beside a mixture. */
function feedForward(
  context: FamilyContext,
  kind: DeepSeekKind,
): (layer: number) => LlamaBlock["feedForward"] {
  const { network, config } = context;
  const dense = config.index("first_k_dense_replace");
  const units = {
    hidden: config.count("moe_intermediate_size"),
    activation: modelActivation(config, "hidden_act"),
  };
  const experts = config.blocks("n_routed_experts");
  const shared = config.blocks("n_shared_experts") * units.hidden;
  const bias = config.boolean("mlp_bias");
  return (layer) =>
    layer < dense
      ? undefined
      : (rows, block) => {
          const name = `${block}.mlp`;
          const routing = kind.routing(context, name);
          return add(
            mixtureOfExperts(network, rows, name, { ...units, experts, routing }),
            gatedUnits(network, rows, `${name}.shared_experts`, { ...units, hidden: shared, bias }),
          );
        };
}

/** Reads the groups of experts. @throws FormatError if they do not divide the experts */
function groupsOf(config: ModelConfig): Omit<ExpertGroups, "best"> {
  const count = config.blocks("n_group");
  config.quotient("n_routed_experts", "n_group");
  return { count, active: config.blocks("topk_group") };
}

/** Returns fields for one dense block at most, and few hidden units and rows of few numbers. */
function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const { rank, queryRank } = latentExtents(config);
  const blocks = config.blocks("num_hidden_layers");
  const dense = config.index("first_k_dense_replace");
  return {
    first_k_dense_replace: dense >= blocks ? blocks : Math.min(dense, 1),
    kv_lora_rank: Math.min(rank, 16),
    moe_intermediate_size: Math.min(config.count("moe_intermediate_size"), 16),
    ...(queryRank === undefined ? {} : { q_lora_rank: Math.min(queryRank, 16) }),
  };
}
