import { FormatError } from "@isthmus/core";
import { type RotaryTables, rotaryTables } from "../layers/rotary.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext } from "./model-family.ts";
import { rotaryWaves } from "./scale-rotary.ts";

/** Extents and names of fields that describe the rotary positions of a family. */
export interface RotaryFields {
  /** Number of dimensions of a head. */
  readonly inner: number;
  /** Name of the field of the base of the wavelengths. */
  readonly base: string;
  /** Field of the share of dimensions that are rotated; missing if all are rotated. */
  readonly share?: string;
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

/**
 * Returns the tables of a network's rotary positions, with the scaling for long contexts that its config
 * requests.
 * @throws UnsupportedError if the kind of that scaling is not supported
 */
export function modelRotary(
  { network, config, length }: FamilyContext,
  { inner, base, share, layers, scaled = true, neighbours = false }: RotaryFields,
): RotaryTables {
  // Newer configs store base and share in the same object as the scaling, older ones in separate fields.
  const newer = config.object("rope_parameters");
  const older = scaled ? config.object("rope_scaling") : undefined;
  const objects = [older, layers === undefined ? newer : newer?.object(layers)];
  const parameters = objects.find((object) => object !== undefined);
  const theta = objects.find((object) => object?.has("rope_theta"))?.positive("rope_theta");
  const part = partOf(config, parameters, share);
  const turned = turnedOf(config, inner, part);
  const waves = { config, length, turned, base: theta ?? config.positive(base) };
  const { frequencies, stretch } = rotaryWaves(parameters, waves);
  return rotaryTables(network, length, frequencies, { stretch, neighbours });
}

/** Returns the share of dimensions that are rotated. @throws UnsupportedError if all must be, and are not */
function partOf(config: ModelConfig, parameters: ModelConfig | undefined, share: string | undefined): number {
  if (share === undefined) {
    parameters?.require("partial_rotary_factor", 1);
    return 1;
  }
  const whole = config.share(share);
  return parameters?.share("partial_rotary_factor", whole) ?? whole;
}

/** Returns the object that describes the scaling of positions which all layers share; undefined for none. */
export function rotaryScaling(config: ModelConfig): ModelConfig | undefined {
  return config.object("rope_scaling") ?? config.object("rope_parameters");
}

/** Returns rotary positions, the same for all layers, of a share of the dimensions of a head. */
export function shareRotary(share: string): (context: FamilyContext, inner: number) => () => RotaryTables {
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
