import type { ModelConfig } from "@isthmus/recipe";
import { configDefaults } from "@isthmus/zoo";
import type { MixtureExtents, MixtureLayout } from "./mixture-layout.ts";

/** Fields of dense models that mean nothing in a mixture, or something else. */
const DROPPED: readonly string[] = [
  "auto_map",
  "sliding_window",
  "use_sliding_window",
  "max_window_layers",
  "layer_types",
  "attention_bias",
  "mlp_bias",
  "qkv_bias",
  "pretraining_tp",
  "rope_interleaved",
];

/**
 * Returns the config of a mixture: the fields of the base, with all extents from its tensors, and the fields
 * of the layout. Fields that the base leaves to the defaults of its family are stated, as layouts have other
 * defaults.
 * @param config - config of the base, with the element type of the result
 */
export function mixtureConfig(
  layout: MixtureLayout,
  extents: MixtureExtents,
  config: ModelConfig,
): ModelConfig {
  const { base } = extents;
  const { rope_theta, ...usual } = configDefaults(base.type);
  const stated = { ...usual, ...(!hasRotaryBase(config) && { rope_theta }), ...config };
  const common = Object.fromEntries(Object.entries(stated).filter(([key]) => !DROPPED.includes(key)));
  const hasHead = base.checkpoint.tensors.has("lm_head.weight");
  return {
    ...common,
    architectures: [layout.architecture],
    model_type: layout.modelType,
    vocab_size: base.vocabulary,
    hidden_size: base.width,
    intermediate_size: base.hidden,
    num_key_value_heads: base.groups,
    head_dim: base.inner,
    hidden_act: base.activation,
    tie_word_embeddings: hasHead ? config["tie_word_embeddings"] === true : true,
    ...layout.fields(extents),
  };
}

/** Checks whether a config states the base of its rotary positions, under its old or its new name. */
function hasRotaryBase(config: ModelConfig): boolean {
  const parameters = config["rope_parameters"] as { readonly rope_theta?: unknown } | null | undefined;
  return config["rope_theta"] !== undefined || parameters?.rope_theta !== undefined;
}
