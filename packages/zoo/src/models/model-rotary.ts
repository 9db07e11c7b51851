import { UnsupportedError } from "@isthmus/core";
import { type RotaryTables, rotaryFrequencies, rotaryTables } from "../layers/rotary.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";

/** Extents and names of fields that describe the rotary positions of a family. */
export interface RotaryFields {
  /** Dimensions of a head. */
  readonly inner: number;
  /** Field that holds the base of the wavelengths. */
  readonly base: string;
  /** Field that holds the share of dimensions that turn, and its default; missing if all turn. */
  readonly share?: { readonly field: string; readonly fallback: number };
}

/** Base of the wavelengths if a config does not say. */
const BASE = 10_000;

/**
 * Returns the tables of a network's rotary positions, with
 * the scaling for long contexts that its config asks for.
 * @throws UnsupportedError if that scaling is of a kind that is not handled
 */
export function modelRotary(
  { network, config, length }: FamilyContext,
  { inner, base, share }: RotaryFields,
): RotaryTables {
  // Newer configs hold base and share in the same object as the scaling, older ones in fields of their own.
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
 * Stretches a wave: long waves by a factor, short ones not at all, waves between by a mixture of both.
 * @see Dubey et al., The Llama 3 herd of models, 2024; formulas as in Llama's reference code
 */
function stretch(frequency: number, scaling: ModelConfig): number {
  const factor = scaling.number("factor", 8);
  const low = scaling.number("low_freq_factor", 1);
  const high = scaling.number("high_freq_factor", 4);
  const turns = (scaling.number("original_max_position_embeddings", 8192) * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const share = (turns - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}
