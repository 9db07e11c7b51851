import type { MatrixProducts } from "@isthmus/linear-algebra";
import { plainProducts } from "@isthmus/linear-algebra";

/** Program that makes a model. */
export interface Maker {
  /** Version of the program. */
  readonly version: string;
  /** Device that multiplied matrices, if not the processor. */
  readonly device?: string;
}

/** Ways to make the rows of tokens that a model does not have. */
export const VOCABULARY_METHODS = ["omp", "subword", "mean", "zero"] as const;

/** A way to make the rows of tokens that a model does not have. */
export type VocabularyMethod = (typeof VOCABULARY_METHODS)[number];

/** Options of `planReplacement`, which decide the new rows. */
export interface ReplacementOptions {
  /**
   * Way to make the rows of new tokens: `omp` writes the token in the donor's embedding as a combination of
   * few shared tokens, and takes the same combination of the model's rows; `subword` takes the mean of the
   * pieces into which the model's tokenizer splits the token; `mean` the mean of all rows; `zero` zeros.
   * @defaultValue "omp"
   */
  readonly method?: VocabularyMethod;
  /** Most shared tokens of a combination. @defaultValue 64 */
  readonly neighbours?: number;
  /** Whether shared tokens are chosen by their cosine, not by the product. @defaultValue false */
  readonly byCosine?: boolean;
  /** Most bytes of memory, at least 16 MiB. @defaultValue 1 GiB */
  readonly memory?: number;
}

/** Options of `replaceVocabulary`. */
export interface ReplaceVocabularyOptions extends ReplacementOptions {
  /** Multiplier of matrices. @defaultValue the kernels of this package, on one thread */
  readonly products?: MatrixProducts;
  /** Whether to replace an earlier result. @defaultValue false */
  readonly overwrite?: boolean;
  /** Whether to go on where the same call was interrupted. @defaultValue true */
  readonly resume?: boolean;
  /** Most bytes of tensors in one file. @defaultValue no limit */
  readonly maxShardBytes?: number;
  /** Program that makes the model, for its metadata. @defaultValue none */
  readonly maker?: Maker | undefined;
  /** Called with the phase and its share that is done. @defaultValue not told */
  readonly onProgress?: ((progress: ReplacementProgress) => void) | undefined;
  /** Called with each note for the user. @defaultValue not told */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Signal that stops the work. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
}

/** Progress of `replaceVocabulary`. */
export interface ReplacementProgress {
  /** Work that is done at present. */
  readonly phase: "approximating" | "writing";
  /** Share of the phase that is done, in `[0, 1]`. */
  readonly done: number;
}

/** Defaults of {@link ReplaceVocabularyOptions}. */
export const REPLACE_VOCABULARY_DEFAULTS: Required<ReplaceVocabularyOptions> = {
  method: "omp",
  neighbours: 64,
  byCosine: false,
  memory: 2 ** 30,
  products: plainProducts,
  overwrite: false,
  resume: true,
  maxShardBytes: Number.POSITIVE_INFINITY,
  maker: undefined,
  onProgress: undefined,
  onNote: undefined,
  signal: undefined,
};
