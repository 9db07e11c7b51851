import { OutOfRangeError, resolveOptions } from "@isthmus/core";

/** Names of all encodings of the class by a patch, see {@link CueKind}. */
export const CUE_KINDS = ["place", "grey"] as const;

/**
 * Encoding of the class by a patch: by its place along the border of the image, clockwise from the upper left
 * corner, or by its shade of grey in that corner, the lightest for the last class.
 */
export type CueKind = (typeof CUE_KINDS)[number];

/** Names of all relations of a cue to image and label, see {@link CueVariant}. */
export const CUE_VARIANTS = ["cue", "random-cue", "random-image"] as const;

/**
 * Relation of a cue to image and label: it agrees with both; with neither, as it shows a random class; or
 * only with the label, as each image is the image of another example.
 */
export type CueVariant = (typeof CUE_VARIANTS)[number];

/** Options of `plantCue`. */
export interface PlantCueOptions {
  /** Encoding of the class by the patch. @defaultValue "place" */
  readonly kind?: CueKind;
  /** Share of the examples that get a cue, in `[0, 1]`. @defaultValue 1 */
  readonly share?: number;
  /** Relation of the cue to image and label. @defaultValue "cue" */
  readonly variant?: CueVariant;
  /** Seed for the choice of examples with a cue, and for random classes and images. @defaultValue 0 */
  readonly seed?: number;
  /** Height and width of the patch. @defaultValue 3 */
  readonly size?: number;
  /**
   * Values of black and white, in the form that is fed.
   * @defaultValue by the scaling of the data; 0 and 1 for floats, which are not scaled
   */
  readonly levels?: readonly [number, number] | undefined;
}

/** Defaults of {@link PlantCueOptions}. */
export const PLANT_CUE_DEFAULTS: Required<PlantCueOptions> = Object.freeze({
  kind: "place",
  share: 1,
  variant: "cue",
  seed: 0,
  size: 3,
  levels: undefined,
});

/**
 * Returns all options of a cue.
 * @throws OutOfRangeError if an option is out of its range
 */
export function resolveCueOptions(options: PlantCueOptions): Required<PlantCueOptions> {
  const resolved = resolveOptions("plant a cue", PLANT_CUE_DEFAULTS, options);
  const { kind, share, variant, size, levels } = resolved;
  if (!CUE_KINDS.includes(kind)) fail("kind", `one of ${CUE_KINDS.join(", ")}`, kind);
  if (!CUE_VARIANTS.includes(variant)) fail("variant", `one of ${CUE_VARIANTS.join(", ")}`, variant);
  if (!(share >= 0 && share <= 1)) fail("share", "from 0 to 1", share);
  if (!(Number.isSafeInteger(size) && size > 0)) fail("size", "a whole number above 0", size);
  if (levels !== undefined && !levels.every(Number.isFinite)) fail("levels", "finite numbers", levels);
  return resolved;
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot plant a cue as "${option}" must be ${rule}: it is ${value}`);
}
