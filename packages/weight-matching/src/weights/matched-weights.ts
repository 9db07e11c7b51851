import type { MemberCosts } from "../coordinate-descent/member-costs.ts";
import type { MemberOccurrences } from "../coordinate-descent/occurrences.ts";
import type { WeightTiles } from "../out-of-core/weight-tiles.ts";

/** The weights of two networks as matching sees them, in memory or read when needed. */
export interface MatchedWeights {
  /** Prepares the costs of one block. */
  costsOf(occurrences: MemberOccurrences): MemberCosts;
  /**
   * Computes the sum of inner products of A and permuted B over all weights, or over named ones, in f64.
   * @param scaled - whether weights before norms count as the norms scale them
   */
  objective(source: Int32Array, scaled: boolean, only?: ReadonlySet<string>): Promise<number>;
  /** Norms of every weight of both networks that votes, scaled. */
  readonly norms: ReadonlyMap<string, { readonly a: number; readonly b: number }>;
  /** Parts of the weights of both networks. */
  readonly tiles: { readonly a: WeightTiles; readonly b: WeightTiles };
  /** Elements of each network to read at once. */
  readonly tileElements: number;
  /** Whether norms scale any weight. */
  readonly isScaled: boolean;
}
