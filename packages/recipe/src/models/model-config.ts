import { type DType, FormatError, isReadAsNumbers } from "@isthmus/core";
import { isRecord, TEXT_PARTS } from "./model-parts.ts";

/** The values of a `config.json`, of any architecture. */
export type ModelConfig = Readonly<Record<string, unknown>>;

/**
 * Returns the number of rows that a config claims for embeddings.
 * @returns undefined if the config has no such number
 */
export function vocabularySizeOf(config: ModelConfig): number | undefined {
  for (const part of partsOf(config)) {
    const size = part["vocab_size"];
    if (typeof size === "number" && Number.isInteger(size) && size >= 0) return size;
  }
  return undefined;
}

/**
 * Returns whether a config says that the output head is the embedding.
 * @returns undefined if the config does not say, so that the architecture's default holds
 */
export function tiedByConfig(config: ModelConfig): boolean | undefined {
  for (const part of partsOf(config)) {
    if (typeof part["tie_word_embeddings"] === "boolean") return part["tie_word_embeddings"];
  }
  return undefined;
}

/** Lists the numbers of a config that could be lengths of axes, other than the size of the vocabulary. */
export function otherSizesOf(config: ModelConfig): ReadonlySet<number> {
  const sizes = new Set<number>();
  for (const part of partsOf(config)) {
    for (const [key, value] of Object.entries(part)) {
      if (typeof value === "number" && key !== "vocab_size") sizes.add(value);
    }
  }
  return sizes;
}

/** Keys that count layers in the configs of most models. */
const LAYER_COUNTS = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"];

/** The layers of a merged network, for its config. */
export interface ConfigLayers {
  /** Position of the layer of the base whose settings each layer of the result takes. */
  readonly layers: readonly number[];
  /**
   * Number of layers of the base, by the names of its tensors. @defaultValue undefined: the number is unknown
   */
  readonly count?: number | undefined;
  /**
   * Key of the config that counts layers. @defaultValue a usual key, or the only key whose value is the
   * number of layers
   */
  readonly key?: string | undefined;
}

/** Place of a key that counts layers in a config. */
interface LayerCountPlace {
  /** Key of the part, such as `text_config`; empty for the top level. */
  readonly part: string;
  /** Key that counts layers, such as `num_hidden_layers`. */
  readonly key: string;
}

/** Changes of a config by a merge. Undefined fields leave the config unchanged. */
export interface ConfigChanges {
  /** Element type of the weights. */
  readonly dtype?: DType | undefined;
  /** Number of rows of embeddings. */
  readonly vocabularySize?: number | undefined;
  /** Whether the output head is the embedding. */
  readonly tied?: boolean | undefined;
  /** Layers of the result, each by the layer of the base whose settings it takes. */
  readonly layers?: ConfigLayers | undefined;
}

/** A changed config, with notes for the user. */
export interface ChangedConfig {
  /** Values of the changed `config.json`. */
  readonly config: ModelConfig;
  /** Notes on values that could not be translated, in one line each. */
  readonly notes: readonly string[];
}

const DTYPE_NAMES: Partial<Record<DType, string>> = {
  f64: "float64",
  f32: "float32",
  f16: "float16",
  bf16: "bfloat16",
};

/**
 * Changes a config to the config of a merged network: element type, size of the vocabulary, number of layers
 * and the lists with one setting for each layer, such as `layer_types` of Qwen3 and Gemma. The
 * `quantization_config` of weights that are read as the numbers that they stand for is left out.
 * @throws FormatError if layers are given and the config does not say how many layers the base has, or the
 *   base has no such layers
 */
export function changeConfig(base: ModelConfig, changes: ConfigChanges): ChangedConfig {
  const notes: string[] = [];
  const counts = changes.layers === undefined ? { places: [] } : findLayerCounts(base, changes.layers);
  if ("problem" in counts) throw unwritable(`${changes.layers?.layers.length} layers as ${counts.problem}`);
  const config: Record<string, unknown> = { ...base };
  delete config["_name_or_path"];
  if (isReadAsNumbers(config["quantization_config"])) delete config["quantization_config"];
  for (const key of ["", ...TEXT_PARTS]) {
    const part = key === "" ? config : config[key];
    if (!isRecord(part)) continue;
    const counted = counts.places.find((place) => place.part === key);
    const changed = changePart(part, { isTop: key === "", changes, counted, notes });
    if (key === "") Object.assign(config, changed);
    else config[key] = changed;
  }
  return { config, notes };
}

/**
 * Finds the keys of a config that count layers: the key that the recipe names; otherwise the usual keys, one
 * in each part; otherwise the only key whose value is the number of layers.
 * @returns the places of the keys, or the problem
 */
function findLayerCounts(
  config: ModelConfig,
  { layers, count, key: named }: ConfigLayers,
): { readonly places: readonly LayerCountPlace[] } | { readonly problem: string } {
  const parts = ["", ...TEXT_PARTS].flatMap((part) => {
    const values = part === "" ? config : config[part];
    return isRecord(values) ? [{ part, values }] : [];
  });
  const keysOf = (isCount: (key: string, value: unknown) => boolean): readonly LayerCountPlace[] =>
    parts.flatMap(({ part, values }) =>
      Object.keys(values).flatMap((key) => (isCount(key, values[key]) ? [{ part, key }] : [])),
    );
  const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);
  if (named !== undefined) {
    const places = keysOf((key, value) => key === named && isWhole(value));
    if (places.length > 0) return { places };
    return { problem: `num_layers_config_key is "${named}", and the config of the base has no number there` };
  }
  const usual = parts.flatMap(({ part, values }): readonly LayerCountPlace[] => {
    const key = LAYER_COUNTS.find((name) => typeof values[name] === "number");
    return key === undefined ? [] : [{ part, key }];
  });
  if (usual.length > 0) return { places: usual };
  const equal = count === undefined ? [] : keysOf((_, value) => isWhole(value) && value === count);
  if (equal.length === 1) return { places: equal };
  const isUnchanged = layers.length === count && layers.every((layer, i) => layer === i);
  if (isUnchanged) return { places: [] };
  const candidates = equal.map(({ key }) => `"${key}"`).join(" and ");
  const state =
    equal.length === 0
      ? `it has none of ${LAYER_COUNTS.join(", ")}${count === undefined ? "" : `, and no other number is ${count}`}`
      : `${candidates} are both ${count}`;
  return {
    problem: `the config of the base must say how many it has: ${state}; write the key that counts them, as num_layers_config_key: NAME in the recipe, or write only weights, to a file ending in .safetensors`,
  };
}

function unwritable(what: string): FormatError {
  return new FormatError(`Cannot write config.json of ${what}`, { format: "config.json" });
}

interface PartChange {
  readonly isTop: boolean;
  readonly changes: ConfigChanges;
  /** Place of the key that counts layers in this part; undefined if the part has no such key. */
  readonly counted: LayerCountPlace | undefined;
  readonly notes: string[];
}

function changePart(
  part: ModelConfig,
  { isTop, changes, counted, notes }: PartChange,
): Record<string, unknown> {
  const { dtype, vocabularySize, tied, layers } = changes;
  const changed: Record<string, unknown> = { ...part };
  if (dtype !== undefined) setDType(changed, dtype, isTop);
  if (vocabularySize !== undefined && "vocab_size" in part) changed["vocab_size"] = vocabularySize;
  if (tied !== undefined && (isTop || "tie_word_embeddings" in part)) changed["tie_word_embeddings"] = tied;
  if (layers !== undefined && counted !== undefined)
    changeLayers(changed, { countKey: counted.key, layers: layers.layers, notes });
  return changed;
}

function setDType(config: Record<string, unknown>, dtype: DType, isTop: boolean): void {
  const name = DTYPE_NAMES[dtype];
  const keys = ["torch_dtype", "dtype"].filter((key) => typeof config[key] === "string");
  for (const key of keys) config[key] = name;
  // Old and new versions of transformers both read this name.
  if (keys.length === 0 && isTop) config["torch_dtype"] = name;
}

/** Lists that have one value for each layer, in any architecture. */
const LAYER_LIST = /layer|block|rope|attention|attn|window|mlp|moe|key_value_heads|intermediate_size/i;
/** Lists of positions of layers. */
const LAYER_POSITIONS = ["mlp_only_layers", "full_attn_idxs", "attn_layer_indices", "cross_attention_layers"];
/**
 * Keys of numbers that count or space layers. No rule can translate their values to the layers of the result.
 */
const LAYER_NUMBERS = [
  "max_window_layers",
  "first_k_dense_replace",
  "sliding_window_pattern",
  "num_kv_shared_layers",
];

interface LayerChange {
  readonly countKey: string;
  readonly layers: readonly number[];
  readonly notes: string[];
}

function changeLayers(config: Record<string, unknown>, { countKey, layers, notes }: LayerChange): void {
  const count = config[countKey] as number;
  const beyond = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= count);
  if (beyond !== undefined) {
    throw unwritable(
      `${layers.length} layers as those of the base, by "${countKey}", are 0 to ${count - 1}: one is like its layer ${beyond}`,
    );
  }
  config[countKey] = layers.length;
  if (layers.length === count && layers.every((layer, i) => layer === i)) return;
  for (const [key, value] of Object.entries(config)) {
    if (LAYER_POSITIONS.includes(key) && Array.isArray(value)) {
      config[key] = layers.flatMap((layer, i) => (value.includes(layer) ? [i] : []));
    } else if (Array.isArray(value) && value.length === count && LAYER_LIST.test(key)) {
      config[key] = layers.map((layer) => value[layer]);
    } else if (LAYER_NUMBERS.includes(key) && typeof value === "number") {
      notes.push(`config.json keeps ${key}: ${value} of the base, which had ${count} layers: check it`);
    }
  }
}

function partsOf(config: ModelConfig): readonly ModelConfig[] {
  return [config, ...TEXT_PARTS.map((key) => config[key]).filter(isRecord)];
}
