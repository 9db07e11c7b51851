import type { Scaling } from "@isthmus/graph";
import { CREATE_TEXT_DATA_SET_DEFAULTS } from "./create-text-data-set.ts";
import type { Tokens } from "./create-token-data-set.ts";

/** Options of {@link openDataSet}. */
export interface OpenDataSetOptions {
  /** Scaling of bytes to f32; undefined for the scaling that belongs to the name or the images. */
  readonly scaling?: Scaling | undefined;
  /** Tokens of an example of text or tokens, at least 2; other data ignore it. */
  readonly context?: number;
  /** Tokens by character, for text; undefined to number the characters of the text. */
  readonly vocabulary?: ReadonlyMap<string, number> | undefined;
  /** Takes a text apart into tokens; undefined to take it apart into characters. */
  readonly encode?: ((text: string) => Tokens) | undefined;
  /** Number of token ids of the model, which all ids of data must be below; 0 if unknown. */
  readonly vocabularySize?: number;
  /** Names of a graph's inputs; arrays of a file that have one of these names are read. */
  readonly inputs?: readonly string[];
  /** Names of a graph's outputs; arrays of a file that have one of these names are read, as their labels. */
  readonly outputs?: readonly string[];
  /**
   * Shape of an example that a graph takes, `[channels, height, width]`: pictures are resized to it unless
   * the name says a size; undefined to leave them as they are.
   */
  readonly imageShape?: readonly number[] | undefined;
}

/** Options of {@link openDataSet} with their defaults. */
export type ResolvedDataOptions = Required<OpenDataSetOptions>;

/** Defaults of {@link openDataSet}. */
export const OPEN_DATA_SET_DEFAULTS: ResolvedDataOptions = Object.freeze({
  scaling: undefined,
  context: CREATE_TEXT_DATA_SET_DEFAULTS.context,
  vocabulary: undefined,
  encode: undefined,
  vocabularySize: 0,
  inputs: [],
  outputs: [],
  imageShape: undefined,
});
