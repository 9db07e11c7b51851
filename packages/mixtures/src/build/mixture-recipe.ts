import type { ModelReference, Recipe } from "@isthmus/recipe";

/** Reference to a model in files: a path, with an adapter as `path+adapter`, or both as keys. */
export type DenseReference = Exclude<ModelReference, Recipe>;

/** A dense model whose feed-forward networks become an expert in each layer, or an adapter of the base. */
export interface MixtureExpert {
  /** The model. */
  readonly source_model: DenseReference;
  /** Texts that should be sent to the expert. @defaultValue none */
  readonly positive_prompts?: readonly string[];
  /** Texts that should not be sent to the expert. @defaultValue none */
  readonly negative_prompts?: readonly string[];
  /** Standard deviation of normal noise that is added to its weights. @defaultValue none is added */
  readonly noise_scale?: number;
  /** Factor of its results, applied to its `down_proj`. @defaultValue 1 */
  readonly residual_scale?: number;
  /** Keys that the mode of the gates reads, see `expertKeys` of `GateMode`. */
  readonly [key: string]: unknown;
}

/** A mixture of experts as plain data: the keys of the YAML that mergekit-moe reads. */
export interface MixtureRecipe {
  /** Model of everything but the feed-forward networks: embeddings, attention, norms, head. */
  readonly base_model: DenseReference;
  /** Experts to which the router sends tokens, in the order of the result. */
  readonly experts: readonly MixtureExpert[];
  /** Experts that see all tokens, if the layout has such. @defaultValue none */
  readonly shared_experts?: readonly MixtureExpert[];
  /** Way in which the weights of routers are made, a name in `GATE_MODES`. @defaultValue "hidden" */
  readonly gate_mode?: string;
  /** Element type of the result, by its name in PyTorch. @defaultValue the type in the base's config */
  readonly dtype?: string;
  /** Number of experts to which a token is sent. @defaultValue 2; all of a layout of adapters */
  readonly experts_per_token?: number;
  /**
   * Number of first layers that have no experts but the feed-forward network of the base, for models that
   * were fine-tuned in later layers only. @defaultValue 0
   */
  readonly dense_layers?: number;
  /**
   * Rank of the adapters that are computed from fine-tunes of the base, for a layout of adapters.
   * @defaultValue the rank of `isthmus extract`
   */
  readonly rank?: number;
  /**
   * Hidden units of the router of a layout of adapters, for gates by ridge regression: random features, which
   * tell experts apart that a linear router cannot. @defaultValue 0: the router is linear
   */
  readonly router_size?: number;
  /**
   * Beginning of the name of the layout, in any case, such as `mixtral` or `qwen`; or `xlora`, whose experts
   * are adapters of the base. @defaultValue the first layout of dense experts that carries the models
   */
  readonly architecture?: string;
}

/** Defaults of a {@link MixtureRecipe}, as of mergekit-moe. */
export const MIXTURE_RECIPE_DEFAULTS = { gate_mode: "hidden", experts_per_token: 2 } as const;
