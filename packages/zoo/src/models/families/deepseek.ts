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

/** Differences between both versions of DeepSeek; numbers are used if a config does not state them. */
interface DeepSeekKind extends Pick<LlamaKind, "only"> {
  /** Number of routed experts. */
  readonly experts: number;
  /** Number of shared experts. */
  readonly shared: number;
  /** Number of blocks before the first one that has experts. */
  readonly dense: number;
  /** Width of an expert. */
  readonly hidden: number;
  /** Returns whether the dimensions of a rotated pair are neighbours. */
  readonly neighbours: (config: ModelConfig) => boolean;
  /** Returns the rule by which tokens are sent to experts, given the prefix of the router's names. */
  readonly routing: (context: FamilyContext, name: string) => Routing;
}

const LATENT = { queryRank: 1536, rank: 512, plain: 128, turned: 64, values: 128 };

/**
 * DeepSeek V2: Llama with keys and values from short rows, and shared experts beside a mixture of experts.
 * @see DeepSeek-AI, DeepSeek-V2, 2024, section 2
 */
export const DEEPSEEK2: ModelFamily = deepSeek({
  experts: 64,
  shared: 2,
  dense: 0,
  hidden: 1407,
  neighbours: () => true,
  only: { scoring_func: "softmax", norm_topk_prob: false, moe_layer_freq: 1 },
  routing: ({ config }) => {
    const isGrouped = config.choice("topk_method", ["greedy", "group_limited_greedy"]) !== "greedy";
    return {
      active: config.blocks("num_experts_per_tok"),
      normalized: false,
      groups: isGrouped ? { ...groupsOf(config, {}), best: 1 } : undefined,
      factor: config.number("routed_scaling_factor", 1),
    };
  },
});

/**
 * DeepSeek V3 and R1: V2 whose experts are chosen by biased sigmoids in groups; predictions of further tokens
 * are not built. @see DeepSeek-AI, DeepSeek-V3 technical report, 2024, section 2.1
 */
export const DEEPSEEK3: ModelFamily = deepSeek({
  experts: 256,
  shared: 1,
  dense: 3,
  hidden: 2048,
  neighbours: (config) => config.boolean("rope_interleave", true),
  only: { scoring_func: "sigmoid", topk_method: "noaux_tc", moe_layer_freq: 1, mlp_bias: false },
  routing: ({ network, config }, name) => ({
    active: config.blocks("num_experts_per_tok", 8),
    normalized: config.boolean("norm_topk_prob", true),
    probabilities: "sigmoid",
    bias: network.weight(
      `${name}.gate.e_score_correction_bias`,
      [config.blocks("n_routed_experts", 256)],
      constant(0),
    ),
    groups: { ...groupsOf(config, { count: 8, active: 4 }), best: 2 },
    factor: config.number("routed_scaling_factor", 2.5),
  }),
});

function deepSeek(kind: DeepSeekKind): ModelFamily {
  return llamaFamily({
    windows: "none",
    tied: false,
    inner: (config) => latentExtents(config).plain + latentExtents(config).turned,
    attention: (context) => attend(context, kind),
    feedForward: (context) => feedForward(context, kind),
    narrow: (config) => narrow(config, kind),
    ...(kind.only === undefined ? {} : { only: kind.only }),
  });
}

function latentExtents(config: ModelConfig): typeof LATENT {
  return {
    queryRank: config.count("q_lora_rank", LATENT.queryRank),
    rank: config.count("kv_lora_rank", LATENT.rank),
    plain: config.count("qk_nope_head_dim", LATENT.plain),
    turned: config.count("qk_rope_head_dim", LATENT.turned),
    values: config.count("v_head_dim", LATENT.values),
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
    queryRank: config.isNull("q_lora_rank") ? undefined : extents.queryRank,
    length,
    heads,
    bias: config.boolean("attention_bias", false),
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
  const dense = config.index("first_k_dense_replace", kind.dense);
  const units = {
    hidden: config.count("moe_intermediate_size", kind.hidden),
    activation: modelActivation(config, "hidden_act", "silu"),
  };
  const experts = config.blocks("n_routed_experts", kind.experts);
  const shared = config.blocks("n_shared_experts", kind.shared) * units.hidden;
  const bias = config.boolean("mlp_bias", false);
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
function groupsOf(
  config: ModelConfig,
  fallback: Partial<Omit<ExpertGroups, "best">>,
): Omit<ExpertGroups, "best"> {
  const count = config.blocks("n_group", fallback.count);
  const active = config.blocks("topk_group", fallback.active);
  if (config.has("n_routed_experts")) config.quotient("n_routed_experts", "n_group");
  return { count, active };
}

/** Returns fields for one dense block at most, and few hidden units and rows of few numbers. */
function narrow(config: ModelConfig, kind: DeepSeekKind): Readonly<Record<string, number>> {
  const { rank, queryRank } = latentExtents(config);
  const blocks = config.blocks("num_hidden_layers");
  const dense = config.index("first_k_dense_replace", kind.dense);
  return {
    first_k_dense_replace: dense >= blocks ? blocks : Math.min(dense, 1),
    kv_lora_rank: Math.min(rank, 16),
    moe_intermediate_size: Math.min(config.count("moe_intermediate_size", kind.hidden), 16),
    ...(config.isNull("q_lora_rank") ? {} : { q_lora_rank: Math.min(queryRank, 16) }),
  };
}
