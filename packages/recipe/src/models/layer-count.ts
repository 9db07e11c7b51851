import { isRecord, TEXT_PARTS } from "./model-parts.ts";

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

/**
 * A key that counts layers, and the key of the part of the config that contains it; empty for the top level.
 */
export interface LayerCountPlace {
  /** Key of the part, such as `text_config`; empty for the top level. */
  readonly part: string;
  /** Key that counts layers, such as `num_hidden_layers`. */
  readonly key: string;
}

/**
 * Finds the keys of a config that count layers: the key that the recipe names; otherwise the usual keys, one
 * in each part; otherwise the only key whose value is the number of layers.
 * @returns the places of the keys, or the problem
 */
export function findLayerCounts(
  config: Readonly<Record<string, unknown>>,
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
