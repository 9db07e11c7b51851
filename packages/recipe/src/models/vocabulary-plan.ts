import type { MergedTokenizer } from "./merge-tokenizer.ts";

/** One of the networks that are merged. */
export interface VocabularyNetwork {
  /** Name of the network in the recipe. */
  readonly name: string;
  /** Path of the network's directory. */
  readonly directory: string;
  /** Vocabulary that a merge gave the network. @defaultValue the vocabulary in the files of its directory */
  readonly vocabulary?: VocabularyPlan | undefined;
}

/** One row of a network's embedding. */
export interface RowPlace {
  /** Position of the network in the plan. */
  readonly network: number;
  /** Index of the row in the network's embedding. */
  readonly row: number;
}

/** A row that a recipe names as source: of one network, or zeros. */
export type TokenRowSource = RowPlace | "zero";

/** Positions of the embeddings of the result's tokens in one network. */
export interface NetworkVocabulary extends VocabularyNetwork {
  /** `[tokens]`: row of the network for each token of the result, or -1 if the network lacks the token. */
  readonly rows: Int32Array;
  /** Number of rows by the config of the network. */
  readonly size: number;
  /** Ids of all tokens of the network. */
  readonly ids: ReadonlyMap<string, number>;
}

/** The vocabulary of a merged network, and the sources of its rows. */
export interface VocabularyPlan {
  /** Tokens by id; undefined at an id that no token has. */
  readonly tokens: readonly (string | undefined)[];
  /** Number of rows of embeddings in the result, tokens and padding. */
  readonly size: number;
  /** Networks that are merged, each with the row of every token. */
  readonly networks: readonly NetworkVocabulary[];
  /** Position of the base in `networks`; undefined if the recipe names none. */
  readonly base: number | undefined;
  /** Sources of rows that the recipe names, by ids of tokens. */
  readonly rows: ReadonlyMap<
    number,
    { readonly source: TokenRowSource | undefined; readonly force: boolean }
  >;
  /** Tokenizer of the result, from which its files are written. */
  readonly tokenizer: MergedTokenizer;
  /**
   * Notes for the user, for example on networks without a tokenizer and on settings of tokens that differ.
   */
  readonly notes: readonly string[];
}
