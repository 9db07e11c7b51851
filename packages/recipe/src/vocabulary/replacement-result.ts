import type { SaveCheckpointResult } from "@isthmus/core";
import type { VocabularyMethod } from "./replacement-options.ts";

/** The new vocabulary of a model, before its rows are made. */
export interface ReplacementPlan {
  /** Path of the model's folder. */
  readonly model: string;
  /** Path of the folder with the tokenizer. */
  readonly donor: string;
  /** Way in which rows of new tokens are made. */
  readonly method: VocabularyMethod;
  /** Number of tokens of the model's tokenizer. */
  readonly tokensBefore: number;
  /** Number of tokens of the new tokenizer. */
  readonly tokens: number;
  /** Number of rows of embeddings in the result, as many as the donor has. */
  readonly size: number;
  /** Number of tokens whose rows are copied. */
  readonly shared: number;
  /** Number of tokens whose rows are made. */
  readonly fresh: number;
  /** Number of tokens of the new tokenizer that have no row in the donor, and get the mean row with `omp`. */
  readonly unknown: number;
  /**
   * Tensors with a row for each token, each with the tensor of the donor in whose space tokens are
   * compared.
   */
  readonly tensors: readonly ReplacementTensor[];
}

/** A tensor of the model with a row for each token. */
export interface ReplacementTensor {
  /** Name of the tensor. */
  readonly name: string;
  /** Shape in the result. */
  readonly shape: readonly number[];
  /** Name of the donor's tensor; null with methods that do not read the donor's weights. */
  readonly donor: string | null;
}

/** A token whose row was approximated. */
export interface ApproximatedToken {
  /** Id of the token. */
  readonly id: number;
  /** The token, as the vocabulary writes it. */
  readonly token: string;
  /** Norm of what the combination leaves of the token in the donor's space, as a share of its norm. */
  readonly residual: number;
}

/** Distances of the new tokens in the space of one tensor of the donor. */
export interface TokenDistances {
  /** Name of the donor's tensor. */
  readonly tensor: string;
  /** Relative residuals at the shares 0, 0.1, 0.25, 0.5, 0.75, 0.9 and 1 of the sorted tokens. */
  readonly quantiles: readonly number[];
  /** Mean of the relative residuals. */
  readonly mean: number;
  /** All approximated tokens, by falling residual. */
  readonly tokens: readonly ApproximatedToken[];
}

/** Result of `replaceVocabulary`. */
export interface ReplaceVocabularyResult extends ReplacementPlan {
  /** Distances of new tokens in each of the donor's tensors that was used; empty without `omp`. */
  readonly distances: readonly TokenDistances[];
  /** Files of the weights. */
  readonly output: SaveCheckpointResult;
  /** Other files of the model, as paths within its folder. */
  readonly modelFiles: readonly string[];
}
