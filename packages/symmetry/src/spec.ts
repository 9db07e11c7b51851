import type { WeightRole } from "@isthmus/graph";

/**
 * A family of units (hidden units, channels, heads, inner dimensions) that may be permuted without
 * changing what the network computes.
 *
 * A plain symmetry has one cell without parents. A nested one has a cell for each parent unit, say one
 * cell of inner dimensions for each attention head; when a permutation takes head `j` to head `i`, the
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
  readonly firstUnit: number;
  /** Weight axes that it moves, wholly or in part. */
  readonly axes: readonly AxisRef[];
}

/** Names one axis of one weight. */
export interface AxisRef {
  readonly tensor: string;
  readonly axis: number;
}

/**
 * Units without freedom of their own that move with their parents, as the columns after a flatten follow
 * their channel. Unit `firstUnit + k` goes where the unit of this family with the permuted parents is.
 */
export interface FollowerFamily {
  readonly firstUnit: number;
  /** Parents of each unit, `[count][arity]`; no two units of a family have the same. */
  readonly parents: readonly (readonly number[])[];
}

/** How units lie on some axes of a weight. Positions are row-major over the extents of `axes`. */
export interface WeightField {
  /** Axes of {@link WeightLayout.view}, ascending; one, but for weights of grouped operators. */
  readonly axes: readonly number[];
  /** Unit at each position, or -1 where nothing may move. */
  readonly units: Int32Array;
  /**
   * Tells apart positions of this field that hold the same unit, as the gate and up halves of a fused
   * projection: a permutation takes (unit, rank) to (permuted unit, rank). 0 where a unit occurs once.
   */
  readonly ranks: Int32Array;
}

/** How the units of a specification lie in one weight. */
export interface WeightLayout {
  readonly shape: readonly number[];
  /** Shape the fields refer to: `shape`, or `[g, O/g, C/g, ...]` for a convolution with `g` groups. */
  readonly view: readonly number[];
  readonly role: WeightRole;
  /** Only fields in which some unit may move. */
  readonly fields: readonly WeightField[];
}

/** An axis of extent > 1 on which some index may not move, and the node that first forbade it. */
export interface FrozenAxis extends AxisRef {
  /** Indices that may not move, of `extent`. */
  readonly indices: number;
  readonly extent: number;
  /** Whether the axis is an offset of a convolution's kernel, which is not counted among those that could be free. */
  readonly kernel: boolean;
  readonly node: string;
  readonly reason: string;
}

/** An operator that no rule covers: what it touches is frozen. */
export interface UnknownOperator {
  readonly node: string;
  readonly op: string;
}

/** Which indices of which weight axes may be permuted together without changing the function. */
export interface SymmetrySpec {
  readonly symmetries: readonly Symmetry[];
  readonly followers: readonly FollowerFamily[];
  /** Number of units: those of all symmetries, then those of all followers. */
  readonly units: number;
  /** Every weight of the graph, in its order. */
  readonly weights: ReadonlyMap<string, WeightLayout>;
  readonly frozen: readonly FrozenAxis[];
  readonly unknown: readonly UnknownOperator[];
}
