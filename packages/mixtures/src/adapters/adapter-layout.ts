import type { MixtureRecipe } from "../build/mixture-recipe.ts";

/** Numbers and names that the settings of a mixture of adapters state. */
export interface AdapterExtents {
  /** Name of the base in the recipe. */
  readonly base: string;
  /** Number of units of the residual stream. */
  readonly width: number;
  /** Folders of the adapters, in the order of the router's rows. */
  readonly folders: readonly string[];
  /** Number of adapters that change a token; undefined for all. */
  readonly active: number | undefined;
  /** Number of hidden units of the router; 0 if it is linear. */
  readonly hidden: number;
}

/**
 * A form in which programs store a mixture of adapters: one base that is not stored, a folder for each
 * adapter, and one router that reads the last hidden states of the base.
 */
export interface AdapterLayout {
  /** Name of the layout in recipes. */
  readonly name: string;
  /** Returns the name of a layer of the router, before `.weight` and `.bias`. */
  readonly routerLayer: (index: number) => string;
  /** Text with which names of changed modules must begin. */
  readonly prefix: string;
  /** Returns the settings of the mixture, for the file beside the router. */
  readonly settings: (extents: AdapterExtents) => Readonly<Record<string, unknown>>;
}

/** Layouts of mixtures of adapters. */
export const ADAPTER_LAYOUTS: readonly AdapterLayout[] = [
  {
    name: "X-LoRA",
    // Between layers PEFT counts a ReLU.
    routerLayer: (index) => `base_model.internal_xlora_classifier.layers.${2 * index}`,
    // PEFT 0.21 puts "model." before every name of an adapter's tensor, so that other modules are not found.
    prefix: "model.",
    settings: ({ base, width, folders, active, hidden }) => ({
      // PEFT calls adapters by their positions, and fails on other names. It reads the paths as they stand.
      adapters: Object.fromEntries(folders.map((folder, i) => [String(i), folder])),
      auto_mapping: null,
      base_model_name_or_path: base,
      // A softmax over the chosen adapters alone: the softmax over all would be cut, and not sum to 1.
      enable_softmax: active === undefined,
      enable_softmax_topk: active !== undefined,
      global_scaling_weight: 1,
      hidden_size: width,
      inference_mode: true,
      layerwise_scalings: false,
      peft_type: "XLORA",
      revision: null,
      scaling_pass_value: 0,
      softmax_temperature: 1,
      task_type: "CAUSAL_LM",
      top_k_lora: active ?? null,
      use_trainable_adapters: false,
      xlora_depth: hidden === 0 ? 1 : 2,
      // Dropout would count as one more layer between the two.
      xlora_dropout_p: 0,
      xlora_size: hidden === 0 ? width : hidden,
    }),
  },
];

/** Returns the layout of adapters that a recipe names; undefined if it names another layout, or none. */
export function findAdapterLayout({
  architecture = "",
}: Pick<MixtureRecipe, "architecture">): AdapterLayout | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll("-", "");
  if (architecture === "") return undefined;
  return ADAPTER_LAYOUTS.find(({ name }) => plain(name).startsWith(plain(architecture)));
}
