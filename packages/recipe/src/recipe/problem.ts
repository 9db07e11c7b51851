/** Keys and positions that lead to a value. */
export type Path = readonly (string | number)[];

/**
 * Statements of recipes that are allowed although they change nothing, or not as it looks. mergekit 0.1.5
 * passes over it or takes it, so recipes that were made for it have it: each is a warning, and an error if a
 * recipe is read strictly. All other problems are errors. This list alone decides which is which.
 */
export type Tolerated =
  /** A key that recipes do not have there, unlike any that they have. */
  | "unknown key"
  /** A document of a file with several, or the name of one, that nothing refers to. */
  | "unused document"
  /** A parameter that the method does not have, or not at this place, unlike any that it has. */
  | "idle parameter"
  /** A filter that changes nothing, unlike any name of a tensor. */
  | "idle filter"
  /** A gradient of more values than there are layers. */
  | "long gradient"
  /** A number or a text in place of true or false. */
  | "spelling"
  /** A number beyond the range that a method is described for, where it can still be computed. */
  | "unusual value"
  /** A network that is named twice, and counts twice. */
  | "named twice";

/** A fault of a value, and its place. */
export interface Problem {
  readonly path: Path;
  /** Text after the name of the value, such as `must be a number: it is "x"`. */
  readonly text: string;
  /** Why it is only a warning; undefined for an error. */
  readonly tolerated?: Tolerated | undefined;
}

/** How strictly a recipe is read, and who hears of what has no effect. */
export interface StrictnessOptions {
  /**
   * Whether what has no effect in a recipe is an error: keys that recipes do not have, parameters of other
   * methods or of the base, filters that match nothing, and the like. @defaultValue false
   */
  readonly strict?: boolean | undefined;
  /**
   * Called with a sentence for each thing in the recipe that has no effect, which names its line.
   * @defaultValue nobody hears of it
   */
  readonly onWarning?: ((warning: string) => void) | undefined;
}
