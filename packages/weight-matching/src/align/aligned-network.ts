import type { Checkpoint } from "@isthmus/core";
import type { Alignment, LinearKind } from "@isthmus/symmetry";
import type { MatchMethod, MatchResult } from "../match.ts";
import type { Verification } from "./prove-alignment.ts";

/** What was undone beyond permutation. */
export interface Normalization {
  readonly kinds: readonly LinearKind[];
  /**
   * Units that may be scaled, units that may be negated, and cells that may be rotated; 0 for kinds that
   * were not asked for.
   */
  readonly scales: number;
  readonly signs: number;
  readonly rotations: number;
  /** Distance of the two networks in weight space over all parameters. */
  readonly distance: { readonly before: number; readonly after: number };
}

/** Summary of an alignment as plain data, as `--json` prints it. */
export interface AlignmentSummary {
  readonly method: MatchMethod;
  /** What the method maximises, before and after. */
  readonly objective: MatchResult["objective"];
  readonly seed: number;
  /** What was undone beyond permutation; absent where that was not asked for. */
  readonly normalized?: Normalization;
  readonly verified: Verification;
}

/** A network aligned to another. */
export interface AlignedNetwork {
  readonly alignment: Alignment;
  /** What the matching method returned. */
  readonly match: MatchResult;
  /**
   * The network under the graph's names, with its units in the order of the other, and normalised if asked;
   * lazy.
   */
  readonly network: Checkpoint;
  /** The network under the names of its own checkpoint; lazy. */
  readonly restored: Checkpoint;
  /**
   * Does to another network of the graph, under the graph's names, what was done to this one, such as to a
   * fine-tune of it: the other network computes what it computed before. After scales, signs or rotations its
   * floating-point tensors are f32, in memory; else it is lazy and keeps its types.
   */
  readonly move: (network: Checkpoint) => Promise<Checkpoint>;
  readonly summary: AlignmentSummary;
}
