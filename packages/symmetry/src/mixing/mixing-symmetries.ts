import type { Symmetries } from "../derive-spec.ts";
import type { LinearSymmetries, RotationSpace } from "../linear/linear-symmetries.ts";
import type { LogitShift } from "../shifts/find-shifts.ts";

/** Symmetries of a graph that are known before its mixtures are looked for. */
export interface KnownSymmetries {
  /** Permutation symmetries of the graph. */
  readonly permutations: Symmetries;
  /** Scales, signs and rotations of the graph. */
  readonly linear: LinearSymmetries;
}

/**
 * Groups of matrices that may mix the units of a cell: all invertible ones; the orthogonal ones, if a norm
 * measures the length of the vector; or the orthogonal ones that keep the vector of ones, if the norm takes
 * the mean away first. Pairs of units may be multiplied by complex numbers, `[[x, -y], [y, x]]`, or by the
 * complex numbers of length 1.
 */
export const MIXING_GROUPS = [
  "invertible",
  "orthogonal",
  "orthogonal-keeping-ones",
  "complex",
  "unit-complex",
] as const;

/** One of {@link MIXING_GROUPS}. */
export type MixingGroup = (typeof MIXING_GROUPS)[number];

/**
 * A cell of units that any matrix of a group may mix. Pairs that a complex number multiplies are no cells of
 * a symmetry: their units are numbered behind all others, and they are named after a weight.
 */
export interface MixingSpace extends RotationSpace {
  /** Group of the matrices that may mix the cell. */
  readonly group: MixingGroup;
}

/** The units of mixed cells along some axes of a tensor. */
export interface MixedField {
  /** Axes of {@link MixedLayout.view}, ascending. */
  readonly axes: readonly number[];
  /** Unit at each position, or -1 at positions where nothing is mixed. */
  readonly units: Int32Array;
  /**
   * 1 at positions whose units are mixed by the transposed inverse of the matrix, as they lie behind a
   * product that must not change; else 0.
   */
  readonly inverse: Uint8Array;
}

/** The mixed units that lie in a tensor, and the axes on which they lie. */
export interface MixedLayout {
  /** Shape the fields refer to. */
  readonly view: readonly number[];
  /** Mixed units by the axes on which they lie. */
  readonly fields: readonly MixedField[];
}

/** A weight that multiplies mixed units, and has to be moved into other weights first. */
export interface StreamGain {
  /** Name of the weight. */
  readonly gain: string;
  /** Value of the weight at which the gain is 0: 0, or -1 if the graph adds 1 to the weight. */
  readonly origin: number;
  /** Scale variable of each element of the gain, by which the element can be moved. */
  readonly variables: Int32Array;
  /** Whether the scale divides the gain. */
  readonly isInverse: boolean;
  /** Index of the space. */
  readonly space: number;
}

/**
 * A norm whose input a matrix mixes along its last axis; norms of weights, and norms of several heads at
 * once, are not among them.
 */
export interface StreamNorm {
  /** Name of the value that is normalised, along its last axis. */
  readonly input: string;
  /** Name of the weight that multiplies the normalised value; undefined if the norm has no gain. */
  readonly gain: string | undefined;
  /** Index of the space. */
  readonly space: number;
}

/** A norm whose input may not be mixed, and the reason. */
export interface FixedNorm {
  /** Name of the value that is normalised, or multiplied by the gain that stands in the way. */
  readonly input: string;
  /** Name of the symmetry whose units are normalised. */
  readonly symmetry: string;
  /** Explanation why the input may not be mixed, in words for messages. */
  readonly reason: string;
}

/**
 * All matrices that may mix units without changing what a graph computes: of the residual streams between
 * norms, of the inner dimensions of attention heads, and of all other cells that pass linear operations only.
 */
export interface MixingSymmetries {
  /** Cells of units that may be mixed, each by a matrix of its own. */
  readonly spaces: readonly MixingSpace[];
  /** Weights that some matrix changes. */
  readonly weights: ReadonlyMap<string, MixedLayout>;
  /** Values inside the graph that some matrix changes, once gains are 1; for the batch of the probe. */
  readonly values: ReadonlyMap<string, MixedLayout>;
  /** Squares inside of norms: their sum does not change, but no matrix predicts them. */
  readonly unpredictable: ReadonlySet<string>;
  /** Norms in the graph whose input vectors are mixed by the matrix of a space. */
  readonly norms: readonly StreamNorm[];
  /**
   * Gains that are moved: gains of norms into the weights that read the norms, and gains of branches that are
   * scaled element by element (LayerScale) into the weights that write the branches.
   */
  readonly gains: readonly StreamGain[];
  /** Norms that keep a stream from being mixed, with the reason for each. */
  readonly fixed: readonly FixedNorm[];
  /** Logits that may all be shifted alike, such as a router's. */
  readonly shifts: readonly LogitShift[];
}
