import { UnsupportedError } from "@isthmus/core";
import type { Value } from "@isthmus/graph/builder";
import { causalMask } from "../layers/attention.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";

/**
 * Rule for the layers that see only a window of the text, if a config has `sliding_window` and does not list
 * its layers as `layer_types`:
 *
 * - `none`: the family has no windows;
 * - `all`: all layers;
 * - `all asked`: all layers if `use_sliding_window` is true;
 * - `asked`: layers from `max_window_layers` on if `use_sliding_window` is true;
 * - an object: all layers except every `period`-th, given as the field of the period and its default.
 */
export type WindowRule =
  | "none"
  | "all"
  | "all asked"
  | "asked"
  | { readonly field: string; readonly period: number };

/** Name of layers that see a window. */
const SLIDING = "sliding_attention";

/** Checks whether a layer sees only a window, by the config's list of layers or else by the rule. */
export function isWindowed(config: ModelConfig, rule: WindowRule, layer: number): boolean {
  const kinds = config.texts("layer_types");
  if (kinds.length > 0) return kinds[layer] === SLIDING;
  if (rule === "all") return true;
  if (rule === "none") return false;
  if (rule === "asked" || rule === "all asked") {
    if (!config.boolean("use_sliding_window")) return false;
    return rule === "all asked" || layer >= config.number("max_window_layers");
  }
  return (layer + 1) % config.count(rule.field, rule.period) !== 0;
}

/** Kinds of layers that lists in configs may name. */
const KINDS: readonly string[] = [SLIDING, "full_attention"];

/**
 * Creates the masks of layers with which tokens see only earlier tokens, and in some layers only a window.
 * @throws UnsupportedError if the config lists layers of another kind
 */
export function layerMasks(
  { network, config, length }: FamilyContext,
  rule: WindowRule,
): (layer: number) => Value {
  const mask = (seen: number) => network.graph.numbers(causalMask(length, seen), "f32", [length, length]);
  const whole = mask(length);
  const kind = config.texts("layer_types").find((name) => !KINDS.includes(name));
  if (kind !== undefined) {
    throw new UnsupportedError(
      `Cannot build the network of "${config.source}" as layers must be ${KINDS.join(" or ")}: "layer_types" has "${kind}"`,
      { feature: kind },
    );
  }
  if (rule === "none") return () => whole;
  const seen = config.count("sliding_window", length);
  const window = seen >= length ? whole : mask(seen);
  return (layer) => (isWindowed(config, rule, layer) ? window : whole);
}
