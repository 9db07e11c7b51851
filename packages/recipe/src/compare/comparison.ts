import type { DType } from "@isthmus/core";
import type { ModelFacts } from "./model-facts.ts";
import type { QuantizedForm } from "./quantized-form.ts";

/** Properties of one network, without comparison to others. */
export interface NetworkTraits {
  /** File or folder of the network, for messages. */
  readonly source: string;
  /** Number of tensors in the network. */
  readonly tensors: number;
  /** Number of elements of all tensors. */
  readonly parameters: number;
  /** Number of tensors of each element type. */
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;
  /** Format in which the weights are packed as codes of few bits; null if they are ordinary numbers. */
  readonly quantized: QuantizedForm | null;
  /**
   * Number of matrices whose elements take few values, as after rounding to 4 or 8 bits, and number of
   * matrices that were checked.
   */
  readonly coarse: { readonly matrices: number; readonly of: number };
  /** Whether the network is an adapter of a model, such as LoRA, instead of a model. */
  readonly adapter: boolean;
  /**
   * A tensor of an adapter in the file of a whole model, which the model has not absorbed; null if no tensor
   * is of an adapter.
   */
  readonly unmerged: string | null;
  /** Whether embedding and head are one matrix; null if the network has no such pair. */
  readonly tied: boolean | null;
  /** Embedding of tokens and its number of rows; null if no tensor is named like an embedding. */
  readonly vocabulary: { readonly tensor: string; readonly rows: number } | null;
  /** Tensors in which NaN or infinities were seen, with the number of these elements. */
  readonly nonFinite: readonly { readonly tensor: string; readonly count: number }[];
  /**
   * Names of the networks that this network was made of, by the record of Isthmus in its metadata; empty
   * without a record.
   */
  readonly madeOf: readonly string[];
  /** Facts from the files beside the weights; null if no such file was read. */
  readonly facts: ModelFacts | null;
}

/** Comparison of one tensor of two networks. */
export interface TensorPair {
  /** Name of the tensor, which is the same in both networks. */
  readonly name: string;
  /** Distance in units of the geometric mean of both norms; null if a norm is 0. */
  readonly distance: number | null;
  /** Cosine of both tensors as vectors; null if a norm is 0. */
  readonly cosine: number | null;
  /** Kinship of the rows, see {@link PairComparison.kinship}; null for vectors and small matrices. */
  readonly kinship: number | null;
  /** Share of the tensor's elements that was read. */
  readonly sampled: number;
}

/**
 * Result of the search for rows of one network that the other has in another place, with its units in another
 * order.
 */
export interface MovedRows {
  /** Tensors that were searched. */
  readonly tensors: readonly string[];
  /** Share of the rows of these tensors that have a partner in the other network, in `[0, 1]`. */
  readonly share: number;
}

/** The embeddings of tokens of two networks. */
export interface VocabularyPair {
  /** Name of the embedding, which is the same in both networks. */
  readonly tensor: string;
  /** Numbers of rows in A and in B. */
  readonly rows: readonly [number, number];
  /** Kinship of the rows, see {@link PairComparison.kinship}; null if the embedding is too small. */
  readonly kinship: number | null;
  /**
   * Share of the sampled rows that equal a row of the other network in another place but not in the same
   * place; null if rows were not searched.
   */
  readonly moved: number | null;
}

/** Effect of alignment on the distance of two networks. */
export interface AlignmentGain {
  /** Distance over the weights of the graph, in units of the geometric mean of both norms. */
  readonly before: number;
  /**
   * Distance after the second network was aligned to the first, over the weights and in the units of
   * `before`.
   */
  readonly after: number;
  /** `1 - after / before`. */
  readonly gain: number;
}

/** Signs of which of two networks was trained further, over all matrices that both have. */
export interface GrowthSigns {
  /**
   * Share of matrices whose elements have more outliers (excess kurtosis) in B than in A; ties count half.
   */
  readonly kurtosis: number;
  /** Share of matrices whose norm is larger in B than in A; ties count half. */
  readonly norm: number;
  /** Norm of the difference of both networks over these matrices; null in results of earlier versions. */
  readonly length: number | null;
}

/** Comparison of two networks A and B. In the other order only A and B change places. */
export interface PairComparison {
  /** Position of network A in the comparison. */
  readonly a: number;
  /** Position of network B in the comparison. */
  readonly b: number;
  /** Names of tensors that only A has. */
  readonly onlyA: readonly string[];
  /** Names of tensors that only B has. */
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
   * Shares of the tensors and of the parameters of the larger network that both networks have under one name
   * and in one shape.
   */
  readonly shared: { readonly tensors: number; readonly parameters: number };
  /** Whether both networks agree in all names, shapes, types and elements that were read. */
  readonly identical: boolean;
  /** Constant by which B exceeds A in every element; null if the differences vary or are 0. */
  readonly offset: number | null;
  /** Norms of the weights that both networks have. */
  readonly norms: readonly [number, number];
  /** Distance of these weights, in units of the geometric mean of both norms. */
  readonly distance: number | null;
  /**
   * Cosine of the angle between both networks, each as one vector of the weights that both have; null if a
   * norm is 0.
   */
  readonly cosine: number | null;
  /**
   * Median over matrices of the mean cosine of rows in the same place, after the means of rows and
   * columns were taken away: 1 for equal networks, about 0 for networks whose units are in no common order.
   * Null if no matrix is large enough.
   */
  readonly kinship: number | null;
  /** Number of matrices over which the median is taken. */
  readonly matrices: number;
  /** Signs of which network was trained further; null if no matrix is large enough. */
  readonly growth: GrowthSigns | null;
  /** Result of the search for moved rows in matrices of low kinship; null if there is no such matrix. */
  readonly moved: MovedRows | null;
  /** Comparison of the embeddings of tokens; null if the networks share no embedding. */
  readonly vocabulary: VocabularyPair | null;
  /** Effect of alignment on the distance; null if no architecture is known. */
  readonly alignment: AlignmentGain | null;
  /** Comparison of each tensor of floating-point numbers that both networks have. */
  readonly tensors: readonly TensorPair[];
}

/** Task vectors: the differences that fine-tuning added to the base, network by network. */
export interface TaskVectors {
  /** Position of the base among the networks. */
  readonly base: number;
  /** Whether the base was not named but guessed from the networks. */
  readonly guessed: boolean;
  /** Positions of the other networks. */
  readonly networks: readonly number[];
  /** Length of each task vector, in units of the base's norm. */
  readonly lengths: readonly number[];
  /** Cosines between task vectors, `[networks][networks]`. */
  readonly cosines: readonly (readonly number[])[];
  /**
   * Sign conflicts between task vectors, `[networks][networks]`: the share of what two of them both
   * change, by size, that they change in opposite directions; 0.5 for steps that know nothing of each
   * other. Null if the base was guessed.
   */
  readonly conflicts: readonly (readonly number[])[] | null;
}

/** Comparison of networks, as plain data. */
export interface NetworkComparison {
  /** Kind of the result. */
  readonly kind: "comparison";
  /** Networks in the order of the arguments, followed by the base if one was named. */
  readonly networks: readonly NetworkTraits[];
  /** Position of the base in `networks`; null if no base was named. */
  readonly base: number | null;
  /** Comparisons of all pairs, in the order (0, 1), (0, 2), ..., (1, 2), ... */
  readonly pairs: readonly PairComparison[];
  /** Task vectors; null if no base was named and no network looks like the base of the others. */
  readonly taskVectors: TaskVectors | null;
  /** Share of all elements that was read at least once. */
  readonly sampled: number;
  /** Seed of the choice of rows that were read. */
  readonly seed: number;
}
