import { UnsupportedError } from "@isthmus/core";
import type { DenseModel, Trait } from "./dense-model.ts";

/** A model whose traits are not known yet. */
type Described = Omit<DenseModel, "traits">;

/** Description of a trait, and its sign. */
interface TraitRule {
  /** Name of the trait for messages, in the plural or without an article. */
  readonly what: string;
  /** Checks whether a model has the trait. */
  readonly isIn: (model: Described) => boolean;
}

/** Name of each trait for messages, and the function that finds the trait in a model. */
export const TRAITS: Readonly<Record<Trait, TraitRule>> = {
  inputBiases: {
    what: "biases of queries, keys and values",
    isIn: (model) => hasBias(model, "q_proj") && !hasBias(model, "o_proj"),
  },
  attentionBiases: {
    what: "biases of queries, keys, values and the result of attention",
    isIn: (model) => hasBias(model, "o_proj"),
  },
  headNorms: {
    what: "norms of the queries and keys of each head",
    isIn: ({ checkpoint }) => checkpoint.tensors.has("model.layers.0.self_attn.q_norm.weight"),
  },
  unitBiases: {
    what: "biases of feed-forward networks",
    isIn: ({ checkpoint }) => checkpoint.tensors.has("model.layers.0.mlp.up_proj.bias"),
  },
  windows: {
    what: "attention within a window in all layers",
    isIn: (model) => windowedLayers(model) === "all",
  },
  someWindows: {
    what: "attention within a window in some layers",
    isIn: (model) => windowedLayers(model) === "some",
  },
  wideHeads: {
    what: "heads of another width than hidden_size / num_attention_heads",
    isIn: ({ width, heads, inner }) => inner * heads !== width,
  },
};

/**
 * Families of Llama's form by `model_type`, with what sets each apart that no layout of mixtures has;
 * undefined if nothing does.
 */
const FAMILIES: Readonly<Record<string, string | undefined>> = {
  llama: undefined,
  mistral: undefined,
  qwen2: undefined,
  qwen3: undefined,
  gemma: "norms whose weights count from 1, and embeddings multiplied by the root of the width",
  gemma2: "norms of the results of attention and feed-forward networks, and bounded scores",
  gemma3_text: "norms of the results of attention and feed-forward networks, and two rotations",
  granite: "factors of embeddings, scores, results and logits",
  olmo2: "norms after attention and feed-forward networks",
  cohere: "attention and feed-forward network side by side",
  phi3: "queries, keys and values in one matrix",
  stablelm: "layer norms with biases",
};

/** Pattern of the tensors of a dense model that a mixture may hold. */
const KNOWN =
  /^(model\.(embed_tokens|norm)|lm_head|model\.layers\.\d+\.((input|post_attention)_layernorm|self_attn\.[qk]_norm|(self_attn\.[qkvo]|mlp\.(gate|up|down))_proj))\.(weight|bias)$/;
/** Pattern of tensors that are tables, which are computed when a model is loaded. */
const IDLE = /rotary_emb\.inv_freq$|self_attn\.bias$|masked_bias$/;

/**
 * Lists the traits of a model.
 * @throws UnsupportedError if the family is not of Llama's form, or the model has tensors that no layout has
 */
export function listTraits(model: Described): ReadonlySet<Trait> {
  const { name, type, checkpoint } = model;
  const apart = FAMILIES[type];
  if (!Object.hasOwn(FAMILIES, type) || apart !== undefined) {
    const plain = Object.keys(FAMILIES).filter((family) => FAMILIES[family] === undefined);
    const why = apart === undefined ? `its model_type is "${type}"` : `"${type}" has ${apart}`;
    throw new UnsupportedError(
      `Cannot make a mixture of "${name}" as its model_type must be one of ${plain.join(", ")}, which layouts of mixtures carry: ${why}`,
      { feature: type },
    );
  }
  const foreign = [...checkpoint.tensors.keys()].filter(
    (tensor) => !isOfMixture(tensor) && !IDLE.test(tensor),
  );
  if (foreign.length > 0) {
    const shown = foreign.slice(0, 3).join(", ");
    throw new UnsupportedError(
      `Cannot make a mixture of "${name}" as it must have the tensors of a dense model of Llama's form alone: it also has ${foreign.length}, such as ${shown}`,
      { feature: shown },
    );
  }
  const traits = Object.keys(TRAITS) as Trait[];
  return new Set(traits.filter((trait) => TRAITS[trait].isIn(model)));
}

/** Checks whether a tensor of a dense model is part of its function. */
export function isOfMixture(tensor: string): boolean {
  return KNOWN.test(tensor);
}

function hasBias({ checkpoint }: Described, layer: string): boolean {
  return checkpoint.tensors.has(`model.layers.0.self_attn.${layer}.bias`);
}

/** Finds out how many layers attend within a window only, by the fields of the config. */
function windowedLayers({ config, layers, type }: Described): "none" | "some" | "all" {
  const isQwen = type.startsWith("qwen");
  if (typeof config["sliding_window"] !== "number" || type === "llama") return "none";
  if (isQwen && config["use_sliding_window"] !== true) return "none";
  const listed = config["layer_types"];
  const first = config["max_window_layers"];
  const full = Array.isArray(listed)
    ? listed.filter((kind) => kind === "full_attention").length
    : isQwen && typeof first === "number"
      ? Math.min(first, layers)
      : 0;
  return full === 0 ? "all" : full < layers ? "some" : "none";
}
