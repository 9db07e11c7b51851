import type { WeightRole } from "@isthmus/graph";
import type { Exchange } from "./exchange/exchange-parts.ts";

/**
 * A family of units (hidden units, channels, heads, inner dimensions) that may be permuted without
 * changing what the network computes.
 *
 * A plain symmetry has one cell without parents. A nested one has a cell for each parent unit, for example
 * one cell of inner dimensions for each attention head; when a permutation takes head `j` to head `i`, the
 * units of cell `j` go to cell `i`, in any order. Units are numbered over the whole specification: unit
 * `i` of cell `c` is `firstUnit + c * size + i`.
 */
export interface Symmetry {
  /** Unique within the specification; made from the first weight whose axis it moves. */
  readonly name: string;
  /** Units in each cell, at least 2. */
  readonly size: number;
  /** Parent units of each cell, by number; `[[]]` for a plain symmetry. */
  readonly cells: readonly (readonly number[])[];
  /** Number of unit 0 of cell 0, counted over the whole specification. */
  readonly firstUnit: number;
  /** Weight axes that it moves, wholly or in part. */
  readonly axes: readonly AxisRef[];
}

/** A reference to one axis of one weight. */
export interface AxisRef {
  /** Name of the weight. */
  readonly tensor: string;
  /** Axis of the weight's own shape, from 0. */
  readonly axis: number;
}

/**
 * A family of units that may not be permuted by themselves but move with their parents, such as the columns
 * after a flatten, which follow their channel. Unit `firstUnit + k` goes to the place of the unit of this
 * family that has the permuted parents.
 */
export interface FollowerFamily {
  /** Number of the first unit of the family, counted over the whole specification. */
  readonly firstUnit: number;
  /** Parents of each unit, `[count][arity]`; no two units of a family have the same. */
  readonly parents: readonly (readonly number[])[];
}

/** The units that lie on some axes of a weight. Positions are row-major over the extents of `axes`. */
export interface WeightField {
  /** Axes of {@link WeightLayout.view}, ascending; one axis, except for weights of grouped operators. */
  readonly axes: readonly number[];
  /** Unit at each position, or -1 at positions where nothing may move. */
  readonly units: Int32Array;
  /**
   * Number that distinguishes positions of this field with the same unit, such as the gate and up halves of a
   * fused projection: a permutation takes (unit, rank) to (permuted unit, rank). It is 0 if a unit occurs
   * once.
   */
  readonly ranks: Int32Array;
}

/** The units of a specification that lie in one weight, and the axes on which they lie. */
export interface WeightLayout {
  /** Shape of the weight. */
  readonly shape: readonly number[];
  /** Shape the fields refer to: `shape`, or `[g, O/g, C/g, ...]` for a convolution with `g` groups. */
  readonly view: readonly number[];
  /** Role of the weight: a parameter, or a statistic such as the running mean of a norm. */
  readonly role: WeightRole;
  /** Fields in which some unit may move; no others. */
  readonly fields: readonly WeightField[];
}

/** An axis of extent > 1 on which some index may not move, and the node that first forbade it. */
export interface FrozenAxis extends AxisRef {
  /** Number of indices that may not move, of `extent`. */
  readonly indices: number;
  /** Extent of the axis: the number of its indices, movable or not. */
  readonly extent: number;
  /**
   * Whether the axis is an offset of a convolution's kernel, which does not count as an axis that could be
   * free.
   */
  readonly kernel: boolean;
  /** Name of the node that froze the axis; the name of the weight if no node is known. */
  readonly node: string;
  /** Explanation why indices may not move, in words for messages. */
  readonly reason: string;
}

/** An operator that no rule covers: its inputs and outputs are frozen. */
export interface UnknownOperator {
  /** Name of the node. */
  readonly node: string;
  /** Type of the operator in ONNX, such as `Conv`. */
  readonly op: string;
}

/** A list of all indices of weight axes that may be permuted together without changing the function. */
export interface SymmetrySpec {
  /** Symmetries of the network, parents before the symmetries nested in them. */
  readonly symmetries: readonly Symmetry[];
  /** Families of units that only follow symmetries. */
  readonly followers: readonly FollowerFamily[];
  /** Number of units: the units of all symmetries come first, then the units of all followers. */
  readonly units: number;
  /** Every weight of the graph, in its order. */
  readonly weights: ReadonlyMap<string, WeightLayout>;
  /** Axes on which some index may not move, with the reason for each. */
  readonly frozen: readonly FrozenAxis[];
  /** Operators without a rule, whose inputs and outputs were frozen. */
  readonly unknown: readonly UnknownOperator[];
  /**
   * Parts whose weights are separate tensors, which this specification lists as one stacked weight each;
   * absent if every weight of the specification is a tensor of the network.
   */
  readonly joined?: JoinedParts;
}

/** The parts that a specification joins, such as the experts of mixtures, and how it joins them. */
export interface JoinedParts {
  /** Specification of the same graph whose weights are the tensors themselves, and whose parts stay. */
  readonly plain: SymmetrySpec;
  /** Parts that change places, with the weights that select them. */
  readonly exchanges: readonly Exchange[];
  /** Symmetry of the parts themselves, by exchange: its units are the parts, in order. */
  readonly symmetries: readonly Symmetry[];
  /** Unit of this specification for each unit of the plain one. */
  readonly unitOf: Int32Array;
  /** Names of the tensors that each stacked weight consists of, one for each part. */
  readonly stacks: ReadonlyMap<string, readonly string[]>;
}
