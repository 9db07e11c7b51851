/** Family trees of compared networks: which network was trained from which, as far as weights alone tell. */
export interface FamilyTrees {
  /** Parent of each network, as its position; null for a network whose parent is not among the networks. */
  readonly parents: readonly (number | null)[];
  /**
   * Support of each edge's direction, in `[0, 1]`: the share of matrices with more outliers in the
   * network than in its parent; 0.5 says nothing. Null for a network without a parent.
   */
  readonly support: readonly (number | null)[];
  /**
   * Distance of each network to its parent, in units of the geometric mean of both norms; null without
   * one.
   */
  readonly distances: readonly (number | null)[];
  /** Whether the base was named, so that its place as the root is known and not concluded. */
  readonly rooted: boolean;
}
