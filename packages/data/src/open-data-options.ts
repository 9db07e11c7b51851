import type { Scaling } from "@isthmus/graph";
import { CREATE_TEXT_DATA_SET_DEFAULTS } from "./create-text-data-set.ts";
import type { Tokens } from "./create-token-data-set.ts";
import type { NoiseObjective } from "./noise-objective.ts";
import type { TextObjective } from "./text-objective.ts";

/** Numbers that a network predicts of unlabelled data. */
export type Objective = TextObjective | NoiseObjective;

/** Options of {@link openDataSet}. */
export interface OpenDataSetOptions {
  /** Scaling of bytes to f32; undefined for the usual scaling of the name or the images. */
  readonly scaling?: Scaling | undefined;
  /** Number of tokens of an example of text or tokens, at least 2; ignored for other data. */
  readonly context?: number;
  /** Most tokens of an example that a name may ask for, as in `text:FILE,context=512`; 0 for any number. */
  readonly longest?: number;
  /** Token ids by character, for text; undefined to number the characters of the text. */
  readonly vocabulary?: ReadonlyMap<string, number> | undefined;
  /** Splits a text into tokens; undefined to use single characters. */
  readonly encode?: ((text: string) => Tokens) | undefined;
  /** Size of the model's vocabulary, which all token ids must be below; 0 if unknown. */
  readonly vocabularySize?: number;
  /**
   * Numbers that are predicted: tokens of a text, or noise that is added to images; undefined for labels, and
   * for texts to predict each token from those before it.
   */
  readonly objective?: Objective | undefined;
  /** Names of a graph's inputs; arrays of a file with these names are read. */
  readonly inputs?: readonly string[];
  /**
   * Names of a graph's outputs; arrays of a file with these names are read, as the labels of these outputs.
   */
  readonly outputs?: readonly string[];
  /**
   * Shape of an example that a graph takes, `[channels, height, width]`: pictures are resized to it unless
   * the name states a size; undefined to keep their size.
   */
  readonly imageShape?: readonly number[] | undefined;
}

/** Options of {@link openDataSet} with their defaults filled in. */
export type ResolvedDataOptions = Required<OpenDataSetOptions>;

/** Defaults of {@link openDataSet}. */
export const OPEN_DATA_SET_DEFAULTS: ResolvedDataOptions = Object.freeze({
  scaling: undefined,
  context: CREATE_TEXT_DATA_SET_DEFAULTS.context,
  longest: 0,
  vocabulary: undefined,
  encode: undefined,
  vocabularySize: 0,
  objective: undefined,
  inputs: [],
  outputs: [],
  imageShape: undefined,
});
