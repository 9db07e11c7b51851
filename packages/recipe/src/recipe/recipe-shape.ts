import { closestName } from "@isthmus/core";
import { MANY_METHODS } from "@isthmus/weight-matching";
import {
  type AlignSetting,
  type ModelParts,
  RECIPE_DTYPES,
  type Recipe,
  type RecipeModel,
  type RecipeModule,
  type RecipeSlice,
  type RecipeSource,
  type TokenizerSetting,
} from "./recipe.ts";
import { SETTINGS } from "./setting-shape.ts";
import { isMap, type Key, type Shape } from "./shape.ts";

type KeysOf<T> = { readonly [K in keyof Required<T>]: Key };

const TEXT: Shape = { kind: "text" };
const TRUTH: Shape = { kind: "truth" };
const UNIVERSE: Shape = { kind: "text", choices: ["universe"] };
const LAYER: Shape = { kind: "number", whole: true, least: 0 };

const map = <T>(name: string, keys: KeysOf<T>): Shape => ({ kind: "map", name, keys });
const listOf = (items: Shape): Shape => ({ kind: "list", items });

const PLACE: Shape = {
  kind: "either",
  name: "place",
  what: "a path",
  options: () => [TEXT, PLACE_PARTS],
  choose: (value) => (isMap(value) ? PLACE_PARTS : TEXT),
};
const PLACE_PARTS = map<{ path: string; revision: string }>("placeParts", {
  path: { shape: TEXT, description: "A file, a folder, or a name as organisation/name.", required: true },
  revision: { shape: TEXT, description: "The revision of a model that is named." },
});

const MODEL_PARTS = map<ModelParts>("modelParts", {
  model: { shape: PLACE, description: "The model.", required: true },
  lora: { shape: PLACE, description: "A LoRA adapter that is added to the model." },
});

/** Form of a reference to a model in files, which is no recipe. */
export const FILE_REFERENCE: Shape = {
  kind: "either",
  name: "fileModel",
  what: "a path, or a model with an adapter",
  options: () => [TEXT, MODEL_PARTS],
  choose: (value) => (isMap(value) ? MODEL_PARTS : typeof value === "string" ? TEXT : undefined),
};

const REFERENCE: Shape = {
  kind: "either",
  name: "model",
  what: "a path, or the recipe of a network",
  options: () => [TEXT, MODEL_PARTS, RECIPE],
  choose: (value) => {
    if (isMap(value)) return "merge_method" in value ? RECIPE : MODEL_PARTS;
    return typeof value === "string" ? TEXT : undefined;
  },
};

const ALIGN_PARTS = map<AlignSetting>("alignParts", {
  graph: { shape: TEXT, description: "File of the architecture; not needed beside a config.json." },
  restarts: {
    shape: { kind: "number", whole: true, least: 1 },
    description: "Number of searches, of which the best is taken.",
  },
  seed: { shape: LAYER, description: "Seed of the searches." },
  many: {
    shape: { kind: "text", choices: MANY_METHODS },
    description:
      "How it is aligned together with all other inputs, which must have the same setting, through one universe.",
  },
});
const ALIGN: Shape = {
  kind: "either",
  name: "align",
  what: "true, false, universe, or keys of an alignment",
  options: () => [TRUTH, UNIVERSE, ALIGN_PARTS],
  choose: (value) => {
    if (isMap(value)) return ALIGN_PARTS;
    return typeof value === "boolean" ? TRUTH : typeof value === "string" ? UNIVERSE : undefined;
  },
};

const INPUT: KeysOf<RecipeModel> = {
  model: { shape: REFERENCE, description: "The network: a path, or the recipe of one.", required: true },
  align: { shape: ALIGN, description: "Whether its units are first put in the order of the others." },
  fisher: { shape: TEXT, description: "Its Fisher information, for the method fisher: a file." },
  grams: { shape: TEXT, description: "Gram matrices of its layers' inputs, for the method regmean: a file." },
  parameters: { shape: SETTINGS, description: "Settings of this network alone." },
};
const MODELS = listOf(map<RecipeModel>("input", INPUT));
const SOURCE = map<RecipeSource>("source", {
  ...INPUT,
  layer_range: {
    shape: { kind: "list", items: LAYER, length: 2 },
    description: "Index of the first layer, and of the one after the last.",
    required: true,
  },
});
const BASE: Key = { shape: REFERENCE, description: "The network that the others were made from." };
const SLICES = listOf(
  map<RecipeSlice>("slice", {
    sources: {
      shape: listOf(SOURCE),
      description: "Runs of layers that are merged with each other, all of one length.",
      required: true,
    },
    base_model: BASE,
    parameters: { shape: SETTINGS, description: "Settings of this slice." },
  }),
);
const MODULE = map<RecipeModule>("module", {
  models: { shape: MODELS, description: "Networks whose part is merged whole." },
  slices: { shape: SLICES, description: "Runs of layers, stacked in this order." },
  parameters: { shape: SETTINGS, description: "Settings of this part." },
});

const ZERO = map<{ kind: string }>("zeroToken", {
  kind: { shape: { kind: "text", choices: ["zero"] }, description: "zero.", required: true },
});
const MODEL_TOKEN = map<{ kind: string; model: string; token: string; token_id: number }>("modelToken", {
  kind: { shape: { kind: "text", choices: ["model_token"] }, description: "model_token.", required: true },
  model: { shape: REFERENCE, description: "The model that has the token.", required: true },
  token: { shape: TEXT, description: "The token as a text." },
  token_id: { shape: LAYER, description: "The token as its number." },
});
const TOKEN_SOURCE: Shape = {
  kind: "either",
  name: "tokenSource",
  what: "a model, or a kind of source",
  options: () => [REFERENCE, ZERO, MODEL_TOKEN],
  choose: (value) => {
    if (!isMap(value) || !("kind" in value)) return REFERENCE;
    const meant = closestName(String(value["kind"]), ["zero", "model_token"]);
    return meant === "zero" ? ZERO : MODEL_TOKEN;
  },
};
const TOKEN = map<{ source: string; force: boolean }>("token", {
  source: { shape: TOKEN_SOURCE, description: "Where its embedding is taken from." },
  force: { shape: TRUTH, description: "Whether networks that have the token take that embedding, too." },
});
const TOKENIZER = map<TokenizerSetting>("tokenizer", {
  source: { shape: REFERENCE, description: "union, base, or the model whose tokenizer is taken." },
  tokens: { shape: { kind: "table", values: TOKEN }, description: "Embeddings of single tokens." },
  pad_to_multiple_of: {
    shape: { kind: "number", whole: true, least: 1 },
    description: "The size of the vocabulary is rounded up to a multiple of it.",
  },
});
/** Form of the name of an element type. */
export const DTYPE: Shape = { kind: "text", choices: Object.keys(RECIPE_DTYPES) };

/** Form of a recipe; the keys of its maps are the keys of the types in `recipe.ts`. */
export const RECIPE: Shape & { readonly kind: "map" } = {
  kind: "map",
  name: "recipe",
  keys: {
    merge_method: { shape: TEXT, description: "The method that merges tensors.", required: true },
    models: { shape: MODELS, description: "Networks that are merged whole." },
    slices: { shape: SLICES, description: "Runs of layers, stacked in this order." },
    modules: {
      shape: { kind: "table", values: MODULE },
      description: "Parts of a network that have layers of their own, such as vision_tower.",
    },
    base_model: BASE,
    parameters: { shape: SETTINGS, description: "Settings of all tensors, where nothing nearer has one." },
    dtype: { shape: DTYPE, description: "Element type of the result." },
    out_dtype: { shape: DTYPE, description: "Element type of the result, before dtype." },
    tokenizer_source: {
      shape: REFERENCE,
      description: "union, base, or the model whose tokenizer is taken.",
    },
    tokenizer: { shape: TOKENIZER, description: "How the vocabulary of the result is made." },
    chat_template: { shape: TEXT, description: "auto, a template's name, or its text." },
    strict: { shape: TRUTH, description: "Whether tensors that no filter names are copied from the base." },
    missing: {
      shape: { kind: "text", choices: ["error", "copy"] },
      description: "What is done about a tensor that not all networks have: error, or copy it.",
    },
    name: {
      shape: TEXT,
      description: "Name by which other documents of the file call the network that it makes.",
    },
    num_layers_config_key: {
      shape: TEXT,
      description: "Key of the base's config.json that counts layers, where it is none of the usual ones.",
    },
  } satisfies KeysOf<Recipe>,
};
