import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isIsthmusError, OutOfRangeError } from "@isthmus/core";
import { networkOfConfig } from "@isthmus/zoo";
import { expect, test } from "vitest";

type Fields = Readonly<Record<string, unknown>>;

/** Fields of the base class of all configs that could change the function of a network. */
const FURTHER = { add_cross_attention: false, use_bidirectional_attention: false };

/**
 * Configs by type: as the library transformers saves them, with all fields of the family's class, and as they
 * are published.
 */
const configs = configsByType();

function configsByType(): ReadonlyMap<string, readonly Fields[]> {
  const file = new URL("golden/families.json.golden", import.meta.url);
  const golden: Readonly<Record<string, Readonly<Record<"saved" | "config", Fields>>>> = JSON.parse(
    readFileSync(file, "utf8"),
  );
  const types = new Map<string, Fields[]>();
  for (const { saved, config } of Object.values(golden)) {
    const type = String(config["model_type"]);
    const text = saved["text_config"] as Fields | undefined;
    const full = text === undefined ? saved : { ...saved, text_config: { ...FURTHER, ...text } };
    types.set(type, [...(types.get(type) ?? []), { ...FURTHER, ...full }, config]);
  }
  return types;
}

/** Fields that change no network of texts of one length, by the reason. */
const NEUTRAL = new Set([
  // Training alone: dropout, losses, initial weights, and divisions of the work that change no result.
  ...["attention_dropout", "embd_pdrop", "resid_pdrop", "attn_pdrop", "hidden_dropout", "embedding_dropout"],
  ...["residual_dropout", "classifier_dropout", "attention_probs_dropout_prob", "hidden_dropout_prob"],
  ...["dropout", "qa_dropout", "seq_classif_dropout", "dropout_rate", "summary_first_dropout"],
  ...[
    "output_router_logits",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "initializer_factor",
    "initializer_range",
  ],
  ...["mlp_dropout", "activation_dropout", "decoder_layerdrop", "encoder_layerdrop", "init_std"],
  ...["initializer_cutoff_factor", "logit_scale_init_value", "apply_spec_augment"],
  ...["mask_feature_length", "mask_feature_min_masks", "mask_feature_prob"],
  ...["mask_time_length", "mask_time_min_masks", "mask_time_prob"],
  ...["rescale_prenorm_residual", "time_step_floor", "time_step_init_scheme", "time_step_max"],
  ...["time_step_min", "time_step_scale", "pretraining_tp", "sinusoidal_pos_embds", "encoder_stride"],
  // Ways of computing the same in other precision or order.
  ...["deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index"],
  ...["residual_in_fp32", "use_associative_scan", "use_mambapy", "use_cache", "reorder_and_upcast_attn"],
  // Tokens that programs add, and names of classes.
  ...["bos_token_id", "eos_token_id", "pad_token_id", "label2id", "model_type", "architectures"],
  ...["cls_token_id", "sep_token_id", "suppress_tokens", "begin_suppress_tokens"],
  ...["boi_token_index", "eoi_token_index", "image_token_index", "image_token_id", "video_token_id"],
  ...["vision_start_token_id", "vision_end_token_id", "mm_tokens_per_image", "vision_config"],
  // Derived from other fields when transformers loads the config, or stored twice.
  ...["is_encoder_decoder", "is_gated_act", "dense_act_fn", "qk_head_dim", "_sliding_window_pattern"],
  // Heads that are built only if the checkpoint has them, and further tokens that are not predicted.
  ...["summary_activation", "summary_proj_to_labels", "summary_type", "summary_use_proj"],
  ...["classifier_pooling", "classifier_proj_size", "use_weighted_layer_sum"],
  // Times of words, which are read from attentions and change no output.
  "median_filter_width",
  ...["pooler_output_size", "num_nextn_predict_layers", "is_decoder"],
]);

/** Fields that some families store without reading them. */
const NEUTRAL_IN: Readonly<Record<string, readonly string[]>> = {
  // The rotated dimensions of a head, which have a field of their own; and the inner width, from `expand`.
  head_dim: ["deepseek_v2", "deepseek_v3"],
  intermediate_size: ["mamba"],
  // Steps of Mamba 2 do not come from a short row; and a length of parts, in which the same is computed.
  time_step_rank: ["mamba2"],
  chunk_size: ["mamba2"],
  // A head that is separate has tensors of its own, by which it is recognised.
  tie_word_embeddings: ["bert", "roberta", "xlm-roberta", "distilbert", "modernbert"],
  // Of windows of attention, without which alone this family is read: `use_sliding_window` must be false.
  sliding_window: ["qwen2_moe"],
  max_window_layers: ["qwen2_moe"],
  // The width of the space that images and texts share: the shape of a projection, if there is one.
  projection_dim: ["clip_text_model", "clip_vision_model"],
};

const OTHERS: Readonly<Record<string, (value: never) => readonly unknown[]>> = {
  boolean: (value: boolean) => [!value],
  number: (value: number) => [2 * value + 1, value / 2, value + 0.25, value + 1],
  string: () => ["other", "relu"],
  object: (value: unknown) => (value === null ? [true, 3, 0.5] : []),
};

/** Builds the graph of a config; undefined if the config is refused. */
function graphOf(config: Fields): unknown {
  try {
    return networkOfConfig(config).graph;
  } catch (error) {
    if (isIsthmusError(error) || error instanceof OutOfRangeError) return undefined;
    throw error;
  }
}

/** Returns the config, and its part for texts if it has one, each with a function that puts it back. */
function partsOf(config: Fields): readonly (readonly [Fields, (part: Fields) => Fields])[] {
  const text = config["text_config"] as Fields | undefined;
  const whole = [config, (part: Fields) => part] as const;
  return text === undefined ? [whole] : [whole, [text, (part) => ({ ...config, text_config: part })]];
}

/** Graphs of configs as they are. */
const wholes = new Map<Fields, unknown>();

/** Checks whether another value of a field makes another network, or is refused. */
function isUnderstood(config: Fields, field: string): boolean {
  const whole = wholes.get(config) ?? graphOf(config);
  wholes.set(config, whole);
  return partsOf(config).some(([part, join]) => {
    const others = field in part ? OTHERS[typeof part[field]]?.(part[field] as never) : [];
    return others?.some((value) => !isDeepStrictEqual(graphOf(join({ ...part, [field]: value })), whole));
  });
}

test.each([...configs])("each field of the class of %s changes its network, or is refused", (type, all) => {
  const fields = all.flatMap(partsOf).flatMap(([part]) => Object.entries(part));
  const ignored = fields
    .filter(([field, value]) => OTHERS[typeof value]?.(value as never).length !== 0 && !NEUTRAL.has(field))
    .map(([field]) => field)
    .filter((field) => NEUTRAL_IN[field]?.includes(type) !== true);
  const names = [...new Set(ignored)];
  expect(names.filter((field) => !all.some((config) => isUnderstood(config, field)))).toEqual([]);
});

test.each([
  ["llama", { clip_qkv: 8 }, /have no "clip_qkv": it is 8$/],
  ["llama", { partial_rotary_factor: 0.5 }, /"partial_rotary_factor" must be 1: it is 0.5$/],
  [
    "llama",
    { rope_parameters: { partial_rotary_factor: 0.5 } },
    /rope_parameters" as "partial_rotary_factor"/,
  ],
  ["llama", { layer_types: ["chunked_attention"] }, /"layer_types" has "chunked_attention"$/],
  ["qwen2", { position_embedding_type: "alibi" }, /must be "absolute" or "rope": it is "alibi"$/],
  ["gpt2", { rope_scaling: { type: "linear" } }, /networks of its type have no "rope_scaling"/],
  ["bert", { sliding_window: 4 }, /networks of its type have no "sliding_window"/],
  ["mistral", { logits_scaling: 8 }, /"logits_scaling" must be 1: it is 8$/],
  ["deepseek_v2", { norm_topk_prob: true }, /"norm_topk_prob" must be false: it is true$/],
  ["deepseek_v3", { topk_method: "greedy" }, /"topk_method" must be "noaux_tc": it is "greedy"$/],
  ["deepseek_v3", { num_key_value_heads: 2 }, /"num_key_value_heads" must be 4: it is 2$/],
  ["deepseek_v3", { n_group: 4 }, /"n_group" must divide "n_routed_experts": 4 does not divide 6$/],
])("networkOfConfig() refuses %s with %j", (type, fields, message) => {
  expect(() => networkOfConfig({ ...configs.get(type)?.[0], ...fields })).toThrow(message);
});
