import type { DType } from "@isthmus/core";
import type { ModelFacts } from "./model-facts.ts";
import type { QuantizedForm } from "./quantized-form.ts";

/** What is known about one network by itself. */
export interface NetworkTraits {
  /** Where the network came from, for messages. */
  readonly source: string;
  readonly tensors: number;
  readonly parameters: number;
  /** Number of tensors of each element type. */
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;
  /** How its weights are packed as codes of few bits; null if they are ordinary numbers. */
  readonly quantized: QuantizedForm | null;
  /** Matrices whose numbers take few values, as after rounding to 4 or 8 bits, of all that were looked at. */
  readonly coarse: { readonly matrices: number; readonly of: number };
  /** Whether it is an adapter of a model, such as LoRA, and no model. */
  readonly adapter: boolean;
  /** A tensor of an adapter that lies beside the weights of the whole model; null if there is none. */
  readonly unmerged: string | null;
  /** Whether embedding and head are one matrix; null where a network has no such pair. */
  readonly tied: boolean | null;
  /** The embedding of tokens, and how many rows it has; null if no name looks like one. */
  readonly vocabulary: { readonly tensor: string; readonly rows: number } | null;
  /** Tensors in which NaN or infinities were seen, with how many. */
  readonly nonFinite: readonly { readonly tensor: string; readonly count: number }[];
  /** What the files beside the weights say; null where there are none. */
  readonly facts: ModelFacts | null;
}

/** How one tensor of two networks compares. */
export interface TensorPair {
  readonly name: string;
  /** Distance in units of the geometric mean of both norms; null where a norm is 0. */
  readonly distance: number | null;
  /** Cosine of both tensors as vectors; null where a norm is 0. */
  readonly cosine: number | null;
  /** Kinship of the rows, see {@link PairComparison.kinship}; null for vectors and small matrices. */
  readonly kinship: number | null;
  /** Share of the tensor's elements that was read. */
  readonly sampled: number;
}

/** Rows of one network that the other has, too, but with their units in another order. */
export interface MovedRows {
  /** Tensors that were searched. */
  readonly tensors: readonly string[];
  /** Share of their rows that have a partner, in `[0, 1]`. */
  readonly share: number;
}

/** The embeddings of tokens of two networks. */
export interface VocabularyPair {
  readonly tensor: string;
  readonly rows: readonly [number, number];
  readonly kinship: number | null;
  /** Share of sampled rows that equal a row elsewhere and not in place; null if that was not searched. */
  readonly moved: number | null;
}

/** What alignment changes about the distance of two networks. */
export interface AlignmentGain {
  /** Distance over the weights of the graph, in units of the geometric mean of both norms. */
  readonly before: number;
  readonly after: number;
  /** `1 - after / before`. */
  readonly gain: number;
}

/** How two networks compare; nothing but the sides changes if they are given in the other order. */
export interface PairComparison {
  /** Positions of the networks. */
  readonly a: number;
  readonly b: number;
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /** Tensors whose shapes differ. */
  readonly shapes: readonly {
    readonly name: string;
    readonly a: readonly number[];
    readonly b: readonly number[];
  }[];
  /** Tensors whose element types differ. */
  readonly dtypes: readonly { readonly name: string; readonly a: DType; readonly b: DType }[];
  /**
   * Shares of tensors and of parameters that both have under one name and in one shape, of the larger
   * network.
   */
  readonly shared: { readonly tensors: number; readonly parameters: number };
  /** Whether every element that was read is the same in both, and names, shapes and types are, too. */
  readonly identical: boolean;
  /** The number that B is more than A in every element; null if there is none. */
  readonly offset: number | null;
  /** Norms of the weights that both have. */
  readonly norms: readonly [number, number];
  /** Distance of these weights, in units of the geometric mean of both norms. */
  readonly distance: number | null;
  readonly cosine: number | null;
  /**
   * Median over matrices of the mean cosine of rows in the same place, after the means of rows and
   * columns were taken away: 1 for equal networks, about 0 for networks whose units are in no common order.
   * Null if no matrix is large enough.
   */
  readonly kinship: number | null;
  /** Matrices that the median is over. */
  readonly matrices: number;
  /** The search for rows in another place, in tensors without kinship; null if there are none. */
  readonly moved: MovedRows | null;
  readonly vocabulary: VocabularyPair | null;
  /** What alignment changes; null if no architecture is known. */
  readonly alignment: AlignmentGain | null;
  readonly tensors: readonly TensorPair[];
}

/** What fine-tuning added to the base, network by network. */
export interface TaskVectors {
  /** Position of the base among the networks. */
  readonly base: number;
  /** Whether the base was not given, but found among the networks. */
  readonly guessed: boolean;
  /** Positions of the other networks. */
  readonly networks: readonly number[];
  /** Length of each, in units of the base's norm. */
  readonly lengths: readonly number[];
  /** Cosines between them, `[networks][networks]`. */
  readonly cosines: readonly (readonly number[])[];
}

/** How networks compare, as plain data. */
export interface NetworkComparison {
  readonly kind: "comparison";
  /** The networks in the order in which they were given, then the base if one was. */
  readonly networks: readonly NetworkTraits[];
  /** Position of the base that was given; null if none was. */
  readonly base: number | null;
  readonly pairs: readonly PairComparison[];
  /** Null without a base, and where no network looks like the base of the others. */
  readonly taskVectors: TaskVectors | null;
  /** Share of all elements that was read, at least once. */
  readonly sampled: number;
  readonly seed: number;
}
