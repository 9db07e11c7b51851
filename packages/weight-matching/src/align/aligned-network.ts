import type { Checkpoint } from "@isthmus/core";
import type { Alignment, LinearKind } from "@isthmus/symmetry";
import type { MatchMethod, MatchResult } from "../match.ts";
import type { Verification } from "./prove-alignment.ts";

/** Symmetries beyond permutation that were undone, and how close this brought the networks. */
export interface Normalization {
  /** Kinds of symmetries that were asked for: scales, signs or rotations. */
  readonly kinds: readonly LinearKind[];
  /** Number of units that may be scaled; 0 if scales were not asked for. */
  readonly scales: number;
  /** Number of units that may be negated; 0 if signs were not asked for. */
  readonly signs: number;
  /** Number of cells of units that may be rotated; 0 if rotations were not asked for. */
  readonly rotations: number;
  /** Distance of the two networks in weight space over all parameters. */
  readonly distance: { readonly before: number; readonly after: number };
}

/** Summary of an alignment as plain data, as `--json` prints it. */
export interface AlignmentSummary {
  /** Method by which the units were matched. */
  readonly method: MatchMethod;
  /** Number that the method maximises, before and after the alignment. */
  readonly objective: MatchResult["objective"];
  /** Seed of all random choices of the matching. */
  readonly seed: number;
  /** Symmetries beyond permutation that were undone; absent if none were asked for. */
  readonly normalized?: Normalization;
  /** Result of the proof that the network computes the same as before. */
  readonly verified: Verification;
}

/** A network aligned to another. */
export interface AlignedNetwork {
  /** Permutation of the network's units that brings them into the order of the other's. */
  readonly alignment: Alignment;
  /** Result of the matching method. */
  readonly match: MatchResult;
  /**
   * The network under the graph's names, with its units in the order of the other, and normalised if asked;
   * lazy.
   */
  readonly network: Checkpoint;
  /** The network under the names of its own checkpoint; lazy. */
  readonly restored: Checkpoint;
  /**
   * Function that applies the same changes to another network of the graph, under the graph's names, such as
   * a fine-tune of this one: the other network computes the same as before. After scales, signs or rotations
   * its floating-point tensors are f32, in memory; else it is lazy and keeps its types.
   */
  readonly move: (network: Checkpoint) => Promise<Checkpoint>;
  /** Summary of the alignment as plain data. */
  readonly summary: AlignmentSummary;
}
