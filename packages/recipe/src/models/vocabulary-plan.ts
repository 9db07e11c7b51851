import type { MergedTokenizer } from "./merge-tokenizer.ts";

/** One of the networks that are merged. */
export interface VocabularyNetwork {
  /** Name by which a recipe speaks of it. */
  readonly name: string;
  /** Path of its directory. */
  readonly directory: string;
  /** The vocabulary that a merge gave it. @defaultValue that of the files in its directory */
  readonly vocabulary?: VocabularyPlan | undefined;
}

/** One row of a network's embedding. */
export interface RowPlace {
  /** Position of the network in the plan. */
  readonly network: number;
  readonly row: number;
}

/** A row that was asked for: of one network, or zeros. */
export type TokenRowSource = RowPlace | "zero";

/** Where one network has the embeddings of the tokens of the result. */
export interface NetworkVocabulary extends VocabularyNetwork {
  /** `[tokens]`: its row of each token of the result, or -1 where it has none. */
  readonly rows: Int32Array;
  /** Rows that its config claims. */
  readonly size: number;
  /** All its tokens. */
  readonly ids: ReadonlyMap<string, number>;
}

/** The vocabulary of a merged network, and where its rows come from. */
export interface VocabularyPlan {
  /** Tokens by id; undefined at an id that no token has. */
  readonly tokens: readonly (string | undefined)[];
  /** Rows of embeddings in the result: tokens and padding. */
  readonly size: number;
  readonly networks: readonly NetworkVocabulary[];
  readonly base: number | undefined;
  /** Rows that were asked for by name, by id. */
  readonly rows: ReadonlyMap<
    number,
    { readonly source: TokenRowSource | undefined; readonly force: boolean }
  >;
  readonly tokenizer: MergedTokenizer;
  /** Sentences for people: tokens without an embedding, settings that differ. */
  readonly notes: readonly string[];
}
