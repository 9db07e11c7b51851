import { UnsupportedError } from "@isthmus/core";
import { type RotaryTables, rotaryFrequencies, rotaryTables } from "../layers/rotary.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";

/** How a family names what its rotary positions are made of. */
export interface RotaryFields {
  /** Dimensions of a head. */
  readonly inner: number;
  /** Field of the base of the wavelengths. */
  readonly base: string;
  /** Field of the share of dimensions that turn; missing where all do. */
  readonly share?: { readonly field: string; readonly fallback: number };
}

/** Base of the wavelengths where a config does not say. */
const BASE = 10_000;

/**
 * Tables of a network's rotary positions, its scaling for long contexts included.
 * @throws UnsupportedError if the scaling is of a kind that is not handled
 */
export function modelRotary(
  { network, config, length }: FamilyContext,
  { inner, base, share }: RotaryFields,
): RotaryTables {
  // Newer configs hold all of it in one object, older ones beside the scaling.
  const parameters = config.object("rope_parameters");
  const scaling = parameters ?? config.object("rope_scaling");
  const theta = parameters?.number("rope_theta", BASE) ?? config.number(base, BASE);
  const part =
    share === undefined
      ? 1
      : (parameters?.number("partial_rotary_factor", share.fallback) ??
        config.number(share.field, share.fallback));
  const frequencies = rotaryFrequencies(Math.floor(inner * part), theta);
  return rotaryTables(network, length, scaling === undefined ? frequencies : scale(frequencies, scaling));
}

function scale(frequencies: Float64Array, scaling: ModelConfig): Float64Array {
  const kind = scaling.has("rope_type") ? scaling.text("rope_type", "") : scaling.text("type", "default");
  if (kind === "default") return frequencies;
  if (kind === "linear") return frequencies.map((frequency) => frequency / scaling.number("factor", 1));
  if (kind === "llama3") return frequencies.map((frequency) => stretch(frequency, scaling));
  throw new UnsupportedError(
    `Cannot build the network of "${scaling.source}" as rotary positions must be scaled by default, linear or llama3: they are by ${kind}`,
    { feature: kind },
  );
}

/**
 * Long waves are stretched by a factor, short ones are kept, those between by a share of it.
 * @see Dubey et al., The Llama 3 herd of models, 2024; formulas as in Llama's reference code
 */
function stretch(frequency: number, scaling: ModelConfig): number {
  const factor = scaling.number("factor", 8);
  const low = scaling.number("low_freq_factor", 1);
  const high = scaling.number("high_freq_factor", 4);
  const turns = (scaling.number("original_max_position_embeddings", 8192) * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return ((1 - kept) * frequency) / factor + kept * frequency;
}
