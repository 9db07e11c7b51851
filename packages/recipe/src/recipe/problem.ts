/** Keys and positions that lead to a value. */
export type Path = readonly (string | number)[];

/**
 * Kinds of statements in recipes that are allowed although they have no effect, or another effect than they
 * seem to have. mergekit 0.1.5 ignores or accepts them, so that recipes for mergekit contain them. Each is a
 * warning, or an error if the recipe is read strictly. All other problems are errors; this list alone
 * decides.
 */
export type Tolerated =
  /** A key that recipes do not have at this place, and that resembles none of their keys. */
  | "unknown key"
  /** A document that no other document of the file refers to, or the name of such a document. */
  | "unused document"
  /**
   * A parameter that the method does not have, or does not read at this place, and that resembles none of its
   * parameters.
   */
  | "idle parameter"
  /** A filter that changes nothing, and that resembles no name of a tensor. */
  | "idle filter"
  /** A gradient of more values than there are layers. */
  | "long gradient"
  /** A number or a text in place of true or false. */
  | "spelling"
  /** A number beyond the range for which a method is described, with which it can still be computed. */
  | "unusual value"
  /** A network that is named twice, and therefore counts twice. */
  | "named twice"
  /** Networks that are so few that the method gives their plain average. */
  | "few networks";

/** A fault of a value, and its place. */
export interface Problem {
  /** Keys and positions that lead to the value. */
  readonly path: Path;
  /** Text after the name of the value, such as `must be a number: it is "x"`. */
  readonly text: string;
  /** Kind of tolerated statement, which is only a warning; undefined for an error. */
  readonly tolerated?: Tolerated | undefined;
}

/** Strictness with which a recipe is read, and the receiver of warnings. */
export interface StrictnessOptions {
  /**
   * Whether parts of a recipe without effect are errors: unknown keys, parameters of other methods or of the
   * base, filters that match nothing, and the like. @defaultValue false
   */
  readonly strict?: boolean | undefined;
  /**
   * Called with a sentence for each part of the recipe that has no effect; the sentence names its line.
   * @defaultValue warnings are dropped
   */
  readonly onWarning?: ((warning: string) => void) | undefined;
}
