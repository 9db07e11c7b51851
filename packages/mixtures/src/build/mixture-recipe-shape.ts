import { DTYPE, FILE_REFERENCE, type Key, type Shape } from "@isthmus/recipe";
import { GATE_MODES } from "./gate-modes.ts";
import type { MixtureRecipe } from "./mixture-recipe.ts";

const TEXT: Shape = { kind: "text" };
const TEXTS: Shape = { kind: "list", items: TEXT };

/** Returns the form of a recipe, in which experts have the keys of all modes of gates. */
export function mixtureRecipeShape(): Shape {
  const ofModes = GATE_MODES.map(({ expertKeys = {} }) => expertKeys);
  const experts: Shape = {
    kind: "list",
    items: {
      kind: "map",
      name: "expert",
      keys: {
        source_model: { shape: FILE_REFERENCE, description: "The model of the expert.", required: true },
        positive_prompts: { shape: TEXTS, description: "Texts that should be sent to the expert." },
        negative_prompts: { shape: TEXTS, description: "Texts that should not be sent to the expert." },
        noise_scale: {
          shape: { kind: "number", least: 0 },
          description: "Standard deviation of noise that is added to its weights.",
        },
        residual_scale: { shape: { kind: "number" }, description: "Factor of its results." },
        ...Object.assign({}, ...ofModes),
      },
    },
  };
  const keys: Readonly<Record<keyof MixtureRecipe, Key>> = {
    base_model: {
      shape: FILE_REFERENCE,
      description: "The model of everything but the feed-forward networks.",
      required: true,
    },
    experts: { shape: experts, description: "Models of the experts.", required: true },
    shared_experts: { shape: experts, description: "Models of experts that see all tokens." },
    gate_mode: {
      shape: { kind: "text", choices: GATE_MODES.flatMap(({ name, also = [] }) => [name, ...also]) },
      description: "How the weights of routers are made.",
    },
    dtype: { shape: DTYPE, description: "Element type of the result." },
    experts_per_token: {
      shape: { kind: "number", whole: true, least: 1 },
      description: "Number of experts to which a token is sent.",
    },
    dense_layers: {
      shape: { kind: "number", whole: true, least: 0 },
      description: "Number of first layers that keep the feed-forward network of the base.",
    },
    rank: {
      shape: { kind: "number", whole: true, least: 1 },
      description: "Rank of adapters that are computed from fine-tunes, for the layout X-LoRA.",
    },
    router_size: {
      shape: { kind: "number", whole: true, least: 0 },
      description: "Hidden units of the router of the layout X-LoRA; 0 for a linear router.",
    },
    architecture: { shape: TEXT, description: "Beginning of the name of the layout." },
  };
  return { kind: "map", name: "mixture", keys };
}
