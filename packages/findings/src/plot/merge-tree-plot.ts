import type { Axis } from "./axis.ts";

/** A branch of a merge tree: from a minimum or a saddle up to the saddle at which it meets another. */
export interface TreeBranch {
  /** Place on the horizontal axis, on which minima are at 0, 1, 2, ... */
  readonly x: number;
  /** Height of the minimum or saddle at its lower end. */
  readonly from: number;
  /** Height of the saddle at its upper end; the root ends at the top of the picture. */
  readonly to: number;
  /** Kind of its lower end: a minimum or a saddle. */
  readonly kind: "minimum" | "saddle";
  /** Description that appears when a reader points at the branch. */
  readonly title: string;
}

/** A merge tree: minima below, and bars at the heights at which their branches meet. */
export interface MergeTreePlot {
  /** Kind of the plot. */
  readonly kind: "merge-tree";
  /** Branches, one for each minimum and each saddle. */
  readonly branches: readonly TreeBranch[];
  /** Horizontal bars, one at the height of each saddle, from its leftmost branch to its rightmost one. */
  readonly joins: readonly { readonly left: number; readonly right: number; readonly y: number }[];
  /** Number of minima. */
  readonly minima: number;
  /** Axis of the heights. */
  readonly axis: Axis;
}
