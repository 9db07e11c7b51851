import type { Axis } from "./axis.ts";

/** A branch of a merge tree: from a minimum or a saddle up to the saddle at which it meets another. */
export interface TreeBranch {
  /** Place on the horizontal axis, on which minima are at 0, 1, 2, ... */
  readonly x: number;
  readonly from: number;
  /** Height of the saddle at its upper end; the root ends at the top of the picture. */
  readonly to: number;
  readonly kind: "minimum" | "saddle";
  /** Description that appears when a reader points at the branch. */
  readonly title: string;
}

/** A merge tree: minima below, and bars at the heights at which their branches meet. */
export interface MergeTreePlot {
  readonly kind: "merge-tree";
  readonly branches: readonly TreeBranch[];
  /** Bars of saddles, from the branch on the left to the one on the right. */
  readonly joins: readonly { readonly left: number; readonly right: number; readonly y: number }[];
  /** Number of minima. */
  readonly minima: number;
  readonly axis: Axis;
}
