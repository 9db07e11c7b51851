import type { DType } from "@isthmus/core";
import type { ManyMethod } from "@isthmus/weight-matching";

/** One value of a parameter. */
export type Scalar = number | string | boolean;

/** Range in which `searchRecipe` searches a number, written in place of the number. */
export interface SearchMark {
  /** Ends of the range, the smaller first. */
  readonly search: readonly [low: number, high: number];
  /** Number at which the search begins. @defaultValue the middle of the range */
  readonly start?: number;
}

/** Values along the layers, from the first layer to the last; numbers in between are interpolated. */
export type Gradient = readonly (Scalar | SearchMark)[];

/** A value for the tensors that a filter matches. */
export interface ConditionalSetting {
  /**
   * Part of the tensor's name, a pattern for the whole name with `*` and `?`, or a regular expression between
   * slashes. @defaultValue all tensors
   */
  readonly filter?: string;
  /** Value for the tensors that the filter matches, or values along their layers. */
  readonly value: Scalar | SearchMark | Gradient;
}

/** Values by the blocks of a diffusion model. The next item of a list counts for blocks without a value. */
export interface BlockSetting {
  /** Kind of the model, such as `sdxl`: a key of `BLOCK_ARCHITECTURES`. */
  readonly blocks: string;
  /**
   * Values in the order of the blocks, as a list or as a text with commas, or values by the names of blocks.
   * Several lengths of lists are known for a kind, such as 20 for SDXL, or 19 without `BASE`.
   */
  readonly value: string | readonly (Scalar | SearchMark)[] | Readonly<Record<string, Scalar | SearchMark>>;
}

/** Setting of a method's parameter in a recipe: a value, a gradient, or values by filters or blocks. */
export type Setting =
  | Scalar
  | SearchMark
  | Gradient
  | ConditionalSetting
  | BlockSetting
  | readonly (ConditionalSetting | BlockSetting)[];

/** Settings by the names of parameters. */
export type Settings = Readonly<Record<string, Setting>>;

/** A model by the parts of its name. */
export interface ModelParts {
  /** Model: a path, a name on the hub, or either with its revision. */
  readonly model: string | { readonly path: string; readonly revision?: string };
  /** A LoRA adapter that is added to the model. */
  readonly lora?: string | { readonly path: string; readonly revision?: string };
}

/**
 * Reference to a network: a path, `path@revision+lora` or an object with these parts, or the recipe that
 * makes the network, as an object or as the path of a YAML file.
 */
export type ModelReference = string | ModelParts | Recipe;

/**
 * Settings for aligning an input to the first network that is not aligned, or to the base if there is one.
 */
export interface AlignSetting {
  /** File of the architecture. @defaultValue the config.json beside the weights */
  readonly graph?: string;
  /** Number of searches, of which the best is taken. @defaultValue the default of `align` */
  readonly restarts?: number;
  /** Seed of the searches. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Method of aligning all inputs together through one universe, see `alignMany`; all aligned inputs must
   * have the same setting. Without a base, only one network may lack `align`; others that keep their units
   * need `align: false`.
   * @defaultValue undefined: each input is aligned by itself
   */
  readonly many?: ManyMethod;
}

/** A network that is merged whole. */
export interface RecipeModel {
  /** Reference to the network: a path, or the recipe that makes it. */
  readonly model: ModelReference;
  /**
   * Whether the units of the network are put in the order of the others before the merge, or settings for it;
   * `"universe"` means `{ many: "best" }`.
   * @defaultValue false
   */
  readonly align?: boolean | "universe" | AlignSetting;
  /**
   * File with the diagonal of the network's Fisher information, from `measureFisher`, for the method
   * `fisher`.
   */
  readonly fisher?: string;
  /**
   * File with Gram matrices of the inputs of the network's layers, from `measureGrams`, for the method
   * `regmean`.
   */
  readonly grams?: string;
  /** Settings of this network alone, which take precedence over all others. @defaultValue none */
  readonly parameters?: Settings;
}

/** A run of layers of a network. */
export interface RecipeSource extends RecipeModel {
  /** Index of the first layer, and of the layer after the last. */
  readonly layer_range: readonly [begin: number, end: number];
}

/**
 * Runs of equally many layers that are merged with each other. The result follows the layers of the preceding
 * slices.
 */
export interface RecipeSlice {
  /** Sources of the layers: runs of layers of single networks, all of one length. */
  readonly sources: readonly RecipeSource[];
  /** Base of this slice. @defaultValue the base of the recipe */
  readonly base_model?: ModelReference;
  /** Settings of this slice. @defaultValue none */
  readonly parameters?: Settings;
}

/** A part of a network with layers, such as a vision tower. */
export interface RecipeModule {
  /** Networks whose part is merged whole; a module has models or slices. */
  readonly models?: readonly RecipeModel[];
  /** Runs of layers, stacked in this order. */
  readonly slices?: readonly RecipeSlice[];
  /** Settings of this part. @defaultValue none */
  readonly parameters?: Settings;
}

/** Source of the embedding of a token. */
export type TokenSource =
  | ModelReference
  | { /** Kind of the source: a row of zeros. */ readonly kind: "zero" }
  | {
      /** Kind of the source: the token of a model. */
      readonly kind: "model_token";
      /** Reference to the model that has the token. */
      readonly model: ModelReference;
      /** Token as a text; absent if `token_id` is given. */
      readonly token?: string;
      /** Token as its id; absent if `token` is given. */
      readonly token_id?: number;
    };

/** Settings of the vocabulary of the result. */
export interface TokenizerSetting {
  /** Source of the tokens: `union`, `base`, or the model whose tokenizer is used. @defaultValue "union" */
  readonly source?: ModelReference;
  /**
   * Sources of the embeddings of single tokens, by token; `force` replaces rows of networks that have the
   * token, too.
   * @defaultValue none
   */
  readonly tokens?: Readonly<Record<string, { readonly source?: TokenSource; readonly force?: boolean }>>;
  /** Number of which the number of rows of embeddings becomes a multiple. @defaultValue 1 */
  readonly pad_to_multiple_of?: number;
}

/** A merge as plain data: the keys of mergekit's YAML, and the keys that Isthmus adds. */
export interface Recipe {
  /** Name of the method that merges tensors, such as `ties`. */
  readonly merge_method: string;
  /** Networks that are merged whole; a recipe has models, slices or modules. */
  readonly models?: readonly RecipeModel[];
  /** Runs of layers, stacked in this order. */
  readonly slices?: readonly RecipeSlice[];
  /** Parts of the networks with layers of their own, by name, such as `vision_tower`. */
  readonly modules?: Readonly<Record<string, RecipeModule>>;
  /** Base that the networks were fine-tuned from. */
  readonly base_model?: ModelReference;
  /** Settings of all tensors. Settings of a module, a slice or a network take precedence. */
  readonly parameters?: Settings;
  /**
   * Element type of the result, by its name in PyTorch. @defaultValue for each tensor the widest type of the
   * inputs
   */
  readonly dtype?: string;
  /** Element type of the result, which takes precedence over `dtype`. */
  readonly out_dtype?: string;
  /** Source of the tokens, as `tokenizer.source`; a recipe has only one of both keys. */
  readonly tokenizer_source?: ModelReference;
  /** Settings of the vocabulary of the result. @defaultValue vocabularies stay, and must be of one size */
  readonly tokenizer?: TokenizerSetting;
  /** Chat template of the result: `auto`, the name of a template, or its text. */
  readonly chat_template?: string;
  /**
   * Whether tensors that no filter matches are copied from the base, or from the first network if there is no
   * base. @defaultValue false
   */
  readonly strict?: boolean;
  /**
   * Treatment of a tensor that some networks lack: an error, or a copy from one network. @defaultValue
   * "error"
   */
  readonly missing?: "error" | "copy";
  /** Name of the network that this recipe makes, by which other recipes of the same file refer to it. */
  readonly name?: string;
  /**
   * Key of the base's `config.json` that counts layers, for results with another number of layers.
   * @defaultValue `num_hidden_layers` or another usual key, otherwise the only key whose value is the number
   *   of layers
   */
  readonly num_layers_config_key?: string;
}

/** Element types that a recipe may name. */
export const RECIPE_DTYPES: Readonly<Record<string, DType>> = {
  bfloat16: "bf16",
  float16: "f16",
  float32: "f32",
  float64: "f64",
  float8_e4m3fn: "f8e4m3",
  float8_e5m2: "f8e5m2",
  bf16: "bf16",
  f16: "f16",
  f32: "f32",
  f64: "f64",
};

/** Checks whether a reference to a network is a recipe that makes it. */
export function isRecipe(reference: ModelReference): reference is Recipe {
  return typeof reference === "object" && "merge_method" in reference;
}
