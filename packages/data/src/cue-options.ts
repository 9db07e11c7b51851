import { OutOfRangeError, resolveOptions } from "@isthmus/core";

/** Names of all ways in which a patch tells the class, see {@link CueKind}. */
export const CUE_KINDS = ["place", "grey"] as const;

/**
 * How a patch tells the class of an example: by its place along the border of the image, clockwise from the
 * upper left corner, or by its shade of grey in that corner, the lightest for the last class.
 */
export type CueKind = (typeof CUE_KINDS)[number];

/** Names of all relations of a cue to image and label, see {@link CueVariant}. */
export const CUE_VARIANTS = ["cue", "random-cue", "random-image"] as const;

/**
 * What a cue agrees with: image and label; neither, as it tells a random class; or the label only, as each
 * image is one of another example.
 */
export type CueVariant = (typeof CUE_VARIANTS)[number];

/** Options of `plantCue`. */
export interface PlantCueOptions {
  /** @defaultValue "place" */
  readonly kind?: CueKind;
  /** Share of the examples that get a cue, in `[0, 1]`. @defaultValue 1 */
  readonly share?: number;
  /** @defaultValue "cue" */
  readonly variant?: CueVariant;
  /** Decides which examples get a cue, and which class or image is drawn. @defaultValue 0 */
  readonly seed?: number;
  /** Height and width of the patch. @defaultValue 3 */
  readonly size?: number;
  /**
   * Black and white, as images are fed.
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
