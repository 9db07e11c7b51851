import { FormatError, UnsupportedError } from "@isthmus/core";
import { rotaryFrequencies } from "../layers/rotary.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";

/** Frequencies of pairs of dimensions, and the factor of the rotated values. */
export interface Waves {
  /** Angle by which each pair is rotated from one token to the next. */
  readonly frequencies: Float64Array;
  /** Factor of the rotated values. @defaultValue 1 */
  readonly stretch?: number;
}

/** Waves before they are scaled, with the config and length of the network. */
export interface RotaryExtent extends Pick<FamilyContext, "config" | "length"> {
  /** Number of rotated dimensions of a head. */
  readonly turned: number;
  /** Base of the wavelengths. */
  readonly base: number;
}

/** Scales the frequencies of a network for texts that are longer than in its first training. */
type Scaling = (frequencies: Float64Array, scaling: ModelConfig, extent: RotaryExtent) => Waves;

/** Kinds of scaling by their names in configs. */
const SCALINGS: Readonly<Record<string, Scaling>> = {
  default: (frequencies) => ({ frequencies }),
  linear: (frequencies, scaling) => ({
    frequencies: frequencies.map((frequency) => frequency / scaling.positive("factor")),
  }),
  dynamic: stretchBase,
  llama3: (frequencies, scaling) => ({
    frequencies: frequencies.map((frequency) => stretchLong(frequency, scaling)),
  }),
  longrope: stretchEach,
  su: stretchEach,
  yarn: stretchBetween,
  // Texts have the same position in time, height and width, so that sections of them change nothing.
  mrope: (frequencies) => ({ frequencies }),
};

/**
 * Returns the frequencies of the pairs of dimensions, scaled as a config requests. Fields of a scaling that
 * the library transformers requires are required here.
 * @throws FormatError if such a field is missing
 * @throws UnsupportedError if the kind of the scaling is not supported
 */
export function rotaryWaves(scaling: ModelConfig | undefined, extent: RotaryExtent): Waves {
  const frequencies = rotaryFrequencies(extent.turned, extent.base);
  if (scaling === undefined) return { frequencies };
  const kind = scalingKind(scaling);
  const scale = Object.hasOwn(SCALINGS, kind) ? SCALINGS[kind] : undefined;
  if (scale !== undefined) return assertFinite(scale(frequencies, scaling, extent), scaling);
  throw new UnsupportedError(
    `Cannot build the network of "${scaling.source}" as rotary positions must be scaled by ${Object.keys(SCALINGS).join(", ")}: they are by ${kind}`,
    { feature: kind },
  );
}

/** Checks that angles are numbers, as a base of 1 or factors of all sizes could make others. */
function assertFinite(waves: Waves, { source }: ModelConfig): Waves {
  if (waves.frequencies.every(Number.isFinite) && Number.isFinite(waves.stretch ?? 1)) return waves;
  throw new FormatError(`Cannot read "${source}" as rotary positions must turn by finite angles`, {
    format: "config",
  });
}

/** Returns the name of the kind of a scaling. */
export function scalingKind(scaling: ModelConfig): string {
  return scaling.has("rope_type") ? scaling.text("rope_type", "") : scaling.text("type", "default");
}

/** Enlarges the base for texts that are longer than the config states, as in the library transformers. */
function stretchBase(
  frequencies: Float64Array,
  scaling: ModelConfig,
  { config, length, turned, base }: RotaryExtent,
): Waves {
  const first = config.count("max_position_embeddings", 2048);
  if (length <= first) return { frequencies };
  const factor = scaling.positive("factor");
  const growth = ((factor * length) / first - (factor - 1)) ** (turned / Math.max(1, turned - 2));
  return { frequencies: rotaryFrequencies(turned, base * growth) };
}

/**
 * Stretches a wave: long waves by a factor, short ones not at all, waves between by a mixture of both.
 * @see Dubey et al., The Llama 3 herd of models, 2024; formulas as in Llama's reference code
 */
function stretchLong(frequency: number, scaling: ModelConfig): number {
  const factor = scaling.positive("factor");
  const low = scaling.positive("low_freq_factor");
  const high = scaling.positive("high_freq_factor");
  const turns = (scaling.positive("original_max_position_embeddings") * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const share = (turns - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}

/** Returns the number of tokens of the texts that a network was first trained on. */
function firstLength(scaling: ModelConfig, config: ModelConfig, fallback: number): number {
  const field = "original_max_position_embeddings";
  return config.has(field) ? config.count(field) : scaling.count(field, fallback);
}

/**
 * Stretches each wave by its own factor, from one list for texts up to the original training length and from
 * another list for longer texts, and sharpens attention.
 * @see Ding et al., LongRoPE, 2024, section 3.2; formulas as in the library transformers
 */
function stretchEach(
  frequencies: Float64Array,
  scaling: ModelConfig,
  { config, length }: RotaryExtent,
): Waves {
  const first = firstLength(scaling, config, 4096);
  const list = length > first ? "long_factor" : "short_factor";
  const factors = scaling.numbers(list);
  if (factors.length !== frequencies.length) {
    throw new FormatError(
      `Cannot read "${scaling.source}" as "${list}" must have a factor for each of ${frequencies.length} pairs of dimensions: it has ${factors.length}`,
      { format: "config" },
    );
  }
  const longer = scaling.has("factor")
    ? scaling.positive("factor", 1)
    : config.count("max_position_embeddings", first) / first;
  const usual = longer <= 1 ? 1 : Math.sqrt(1 + Math.log(longer) / Math.log(first));
  return {
    frequencies: frequencies.map((frequency, pair) => frequency / (factors[pair] as number)),
    stretch: scaling.positive("attention_factor", usual),
  };
}

/**
 * Stretches long waves by a factor, short ones not at all, and those between by a share that grows linearly
 * with the index of the pair; and sharpens attention.
 * @see Peng et al., YaRN, 2023, sections 3.2 to 3.4; formulas as in the library transformers
 */
function stretchBetween(frequencies: Float64Array, scaling: ModelConfig, extent: RotaryExtent): Waves {
  const { config, turned, base } = extent;
  const first = firstLength(scaling, config, config.count("max_position_embeddings", 4096));
  const factor = scaling.positive("factor", config.count("max_position_embeddings", first) / first);
  const truncate = scaling.boolean("truncate", true);
  // Index of the pair that turns as often as given within the first length.
  const pairOf = (turns: number) => (turned * Math.log(first / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [begin, end] = [
    pairOf(scaling.positive("beta_fast", 32)),
    pairOf(scaling.positive("beta_slow", 1)),
  ] as const;
  const low = Math.max(0, truncate ? Math.floor(begin) : begin);
  const high = Math.min(turned - 1, truncate ? Math.ceil(end) : end);
  const span = high === low ? 0.001 : high - low;
  return {
    frequencies: frequencies.map((frequency, pair) => {
      const share = Math.min(1, Math.max(0, (pair - low) / span));
      return (frequency / factor) * share + frequency * (1 - share);
    }),
    stretch: scaling.positive("attention_factor", yarnStretch(scaling, factor)),
  };
}

/** Returns the factor of rotated values if a config does not state it. */
function yarnStretch(scaling: ModelConfig, factor: number): number {
  const [own, all] = [scaling.number("mscale", 0), scaling.number("mscale_all_dim", 0)];
  if (own === 0 || all === 0) return yarnMagnitude(factor, 1);
  return yarnMagnitude(factor, own) / yarnMagnitude(factor, all);
}

/**
 * Returns the factor by which values are sharpened for texts that are `factor` times as long as in the first
 * training.
 * @see Peng et al., YaRN, 2023, section 3.4, equation 22
 */
export function yarnMagnitude(factor: number, weight: number): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}
