import { FormatError, UnsupportedError } from "@isthmus/core";
import { type RotaryTables, rotaryFrequencies, rotaryTables } from "../layers/rotary.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";

/** Extents and names of fields that describe the rotary positions of a family. */
export interface RotaryFields {
  /** Number of dimensions of a head. */
  readonly inner: number;
  /** Name of the field of the base of the wavelengths. */
  readonly base: string;
  /** Base if a config does not state it. @defaultValue 10,000 */
  readonly baseFallback?: number;
  /** Field of the share of dimensions that are rotated, and its default; missing if all are rotated. */
  readonly share?: { readonly field: string; readonly fallback: number };
  /**
   * Kind of layers whose positions newer configs describe separately; missing if all layers have the same
   * positions.
   */
  readonly layers?: LayerKind;
  /** Whether older configs scale these positions. @defaultValue true */
  readonly scaled?: boolean;
  /** Whether the dimensions of a pair are neighbours. @defaultValue false */
  readonly neighbours?: boolean;
}

/** Kinds of layers, as configs name them. */
export type LayerKind = "full_attention" | "sliding_attention";

/** Frequencies of pairs of dimensions, and the factor of the rotated values. */
interface Waves {
  readonly frequencies: Float64Array;
  readonly stretch?: number;
}

/** Base of the wavelengths if a config does not state it. */
const BASE = 10_000;

/**
 * Returns the tables of a network's rotary positions, with the scaling for long contexts that its config
 * requests.
 * @throws UnsupportedError if the kind of that scaling is not supported
 */
export function modelRotary(
  { network, config, length }: FamilyContext,
  { inner, base, baseFallback = BASE, share, layers, scaled = true, neighbours = false }: RotaryFields,
): RotaryTables {
  // Newer configs store base and share in the same object as the scaling, older ones in separate fields.
  const all = config.object("rope_parameters");
  const parameters = layers === undefined ? all : all?.object(layers);
  const scaling = parameters ?? (scaled ? config.object("rope_scaling") : undefined);
  const theta = parameters?.positive("rope_theta", baseFallback) ?? config.positive(base, baseFallback);
  const part =
    share === undefined
      ? 1
      : (parameters?.share("partial_rotary_factor", share.fallback) ??
        config.share(share.field, share.fallback));
  const frequencies = rotaryFrequencies(turnedOf(config, inner, part), theta);
  const waves = scaling === undefined ? { frequencies } : scale(frequencies, scaling, { config, length });
  return rotaryTables(network, length, waves.frequencies, { stretch: waves.stretch, neighbours });
}

/** Returns rotary positions, the same for all layers, of a share of the dimensions of a head. */
export function shareRotary(
  share: NonNullable<RotaryFields["share"]>,
): (context: FamilyContext, inner: number) => () => RotaryTables {
  return (context, inner) => {
    const tables = modelRotary(context, { inner, base: "rope_theta", share });
    return () => tables;
  };
}

/**
 * Maximum number of dimensions of a head that are rotated: each has a column in tables, and published models
 * have a few hundred.
 */
const MAX_TURNED = 2 ** 14;

/**
 * Returns the number of rotated dimensions of a head.
 * @throws FormatError if the number is odd, or larger than in any model
 */
function turnedOf({ source }: ModelConfig, inner: number, part: number): number {
  const turned = Math.floor(inner * part);
  if (turned % 2 === 0 && turned >= 2 && turned <= MAX_TURNED) return turned;
  throw new FormatError(
    `Cannot read "${source}" as dimensions of a head turn in pairs, 2 to ${MAX_TURNED} of them: ${turned} of ${inner} would`,
    { format: "config" },
  );
}

/** Config of the whole model, and the length of its texts. */
type Extent = Pick<FamilyContext, "config" | "length">;

function scale(frequencies: Float64Array, scaling: ModelConfig, extent: Extent): Waves {
  const kind = scaling.has("rope_type") ? scaling.text("rope_type", "") : scaling.text("type", "default");
  switch (kind) {
    case "default":
      return { frequencies };
    case "linear":
      return { frequencies: frequencies.map((frequency) => frequency / scaling.positive("factor", 1)) };
    case "llama3":
      return { frequencies: frequencies.map((frequency) => stretch(frequency, scaling)) };
    case "longrope":
    case "su":
      return stretchEach(frequencies, scaling, extent);
    default:
      throw new UnsupportedError(
        `Cannot build the network of "${scaling.source}" as rotary positions must be scaled by default, linear, llama3 or longrope: they are by ${kind}`,
        { feature: kind },
      );
  }
}

/**
 * Stretches a wave: long waves by a factor, short ones not at all, waves between by a mixture of both.
 * @see Dubey et al., The Llama 3 herd of models, 2024; formulas as in Llama's reference code
 */
function stretch(frequency: number, scaling: ModelConfig): number {
  const factor = scaling.positive("factor", 8);
  const low = scaling.positive("low_freq_factor", 1);
  const high = scaling.positive("high_freq_factor", 4);
  const turns = (scaling.positive("original_max_position_embeddings", 8192) * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const share = (turns - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}

/**
 * Stretches each wave by its own factor, from one list for texts up to the original training length and from
 * another list for longer texts, and sharpens attention.
 * @see Ding et al., LongRoPE, 2024, section 3.2; formulas as in the library transformers
 */
function stretchEach(frequencies: Float64Array, scaling: ModelConfig, { config, length }: Extent): Waves {
  const field = "original_max_position_embeddings";
  const first = scaling.has(field) ? scaling.count(field) : config.count(field, 4096);
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
