import type { DType } from "@isthmus/core";
import type { ManyMethod } from "@isthmus/weight-matching";

/** One value of a parameter. */
export type Scalar = number | string | boolean;

/** A number that `searchRecipe` looks for, in place of the number. */
export interface SearchMark {
  /** Ends of the range, the smaller first. */
  readonly search: readonly [low: number, high: number];
  /** Where the search begins. @defaultValue the middle */
  readonly start?: number;
}

/** Values along the layers, from the first layer to the last; numbers in between are interpolated. */
export type Gradient = readonly (Scalar | SearchMark)[];

/** A value for the tensors that a filter names. */
export interface ConditionalSetting {
  /**
   * Text that is part of the name, a pattern for the whole name with `*` and `?`, or a regular expression
   * between slashes. @defaultValue all tensors
   */
  readonly filter?: string;
  readonly value: Scalar | SearchMark | Gradient;
}

/** What a recipe says about a parameter of a method: a value, a gradient, or values by filters. */
export type Setting = Scalar | SearchMark | Gradient | ConditionalSetting | readonly ConditionalSetting[];

/** Settings by the names of parameters. */
export type Settings = Readonly<Record<string, Setting>>;

/** A model by the parts of its name. */
export interface ModelParts {
  readonly model: string | { readonly path: string; readonly revision?: string };
  /** A LoRA adapter that is added to the model. */
  readonly lora?: string | { readonly path: string; readonly revision?: string };
}

/**
 * A network: a path, or `path@revision+lora`, or its parts, or the recipe that makes it, as an object or as a
 * path of a YAML file.
 */
export type ModelReference = string | ModelParts | Recipe;

/** How an input is aligned to the first network, or to the base if there is one. */
export interface AlignSetting {
  /** File of the architecture. @defaultValue the config.json beside the weights */
  readonly graph?: string;
  /** Number of searches, of which the best is taken. @defaultValue as of `align` */
  readonly restarts?: number;
  /** Seed of the searches. @defaultValue 0 */
  readonly seed?: number;
  /**
   * How it is aligned together with all other inputs, which must have the same setting then, through one
   * universe: see `alignMany`. Without a base, one of them stays as it is; more do only with `align: false`.
   * @defaultValue by itself
   */
  readonly many?: ManyMethod;
}

/** A network that is merged whole. */
export interface RecipeModel {
  readonly model: ModelReference;
  /**
   * Whether its units are put in the order of the others first; "universe" is `{ many: "best" }`.
   * @defaultValue false
   */
  readonly align?: boolean | "universe" | AlignSetting;
  /** File of the diagonal of its Fisher information, as `measureFisher` makes it, for the method `fisher`. */
  readonly fisher?: string;
  /** File of Gram matrices of its layers' inputs, as `measureGrams` makes it, for the method `regmean`. */
  readonly grams?: string;
  readonly parameters?: Settings;
}

/** A run of layers of a network. */
export interface RecipeSource extends RecipeModel {
  /** Index of the first layer, and of the one after the last. */
  readonly layer_range: readonly [begin: number, end: number];
}

/** Runs of layers of equal length that are merged and put after the layers of the slices before. */
export interface RecipeSlice {
  readonly sources: readonly RecipeSource[];
  /** @defaultValue the base of the recipe */
  readonly base_model?: ModelReference;
  readonly parameters?: Settings;
}

/** A part of a network that has layers of its own, such as a vision tower. */
export interface RecipeModule {
  readonly models?: readonly RecipeModel[];
  readonly slices?: readonly RecipeSlice[];
  readonly parameters?: Settings;
}

/** Where the embedding of a token is taken from. */
export type TokenSource =
  | ModelReference
  | { readonly kind: "zero" }
  | {
      readonly kind: "model_token";
      readonly model: ModelReference;
      readonly token?: string;
      readonly token_id?: number;
    };

/** How the vocabulary of the result is made. */
export interface TokenizerSetting {
  /** `union`, `base`, or the model whose tokenizer is taken. @defaultValue "union" */
  readonly source?: ModelReference;
  readonly tokens?: Readonly<Record<string, { readonly source?: TokenSource; readonly force?: boolean }>>;
  readonly pad_to_multiple_of?: number;
}

/** A merge as plain data: mergekit's YAML, and what Isthmus adds to it. */
export interface Recipe {
  readonly merge_method: string;
  /** Networks that are merged whole; a recipe has models, slices or modules. */
  readonly models?: readonly RecipeModel[];
  readonly slices?: readonly RecipeSlice[];
  readonly modules?: Readonly<Record<string, RecipeModule>>;
  /** The network that the others were made from. */
  readonly base_model?: ModelReference;
  /** Settings of all tensors, where nothing nearer has one. */
  readonly parameters?: Settings;
  /** Element type of the result, as PyTorch calls it. @defaultValue the widest of the inputs, by tensor */
  readonly dtype?: string;
  /** Element type of the result, before `dtype`. */
  readonly out_dtype?: string;
  readonly tokenizer_source?: ModelReference;
  readonly tokenizer?: TokenizerSetting;
  /** A template's name, `auto`, or its text. */
  readonly chat_template?: string;
  /**
   * Whether tensors that no filter names are copied from the base, or the first network. @defaultValue false
   */
  readonly strict?: boolean;
  /** What is done about a tensor that not all networks have. @defaultValue "error" */
  readonly missing?: "error" | "copy";
  /** Name by which other recipes of the same file call the network that it makes. */
  readonly name?: string;
  /**
   * Key of the base's `config.json` that counts layers, for results with another number of layers.
   * @defaultValue `num_hidden_layers` or what else is usual, or the only key that has the number of layers
   */
  readonly num_layers_config_key?: string;
}

/** Element types that a recipe may name. */
export const RECIPE_DTYPES: Readonly<Record<string, DType>> = {
  bfloat16: "bf16",
  float16: "f16",
  float32: "f32",
  float64: "f64",
  bf16: "bf16",
  f16: "f16",
  f32: "f32",
  f64: "f64",
};

/** Checks whether a reference to a network is a recipe that makes it. */
export function isRecipe(reference: ModelReference): reference is Recipe {
  return typeof reference === "object" && "merge_method" in reference;
}
