import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";

/** A network of a map. */
export interface MappedNetwork {
  readonly source: string;
  /** A star is aligned and measured with the others, but is no part of their mean. */
  readonly role: "network" | "star";
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`. */
  readonly error: number;
}

/** What was measured between two networks of a map. */
export interface MappedPair {
  /** Indices of the networks; `a` is less than `b`. */
  readonly a: number;
  readonly b: number;
  /** Chord barrier of the loss on the straight line between them, at least 0, in nats. */
  readonly loss: number;
  /** Chord barrier of the error, at least 0. */
  readonly error: number;
  /** Euclidean distance of their parameters. */
  readonly distance: number;
}

/** The mean of the networks of a map, without the star. */
export interface MappedMean {
  readonly loss: number;
  readonly error: number;
  /** Euclidean distance of its parameters from each network, `[networks]`. */
  readonly distances: readonly number[];
}

/** Networks that are joined step by step, the nearest first, by average linkage of their barriers. */
export interface MapTree {
  /**
   * The joins in order, one less than networks. Numbers below the number `n` of networks are networks; the
   * join of index `k` makes the group `n + k`.
   */
  readonly joins: readonly { readonly a: number; readonly b: number; readonly height: number }[];
  /** Networks in the order in which neighbours in the tree stand beside each other, `[networks]`. */
  readonly order: readonly number[];
}

/** Places in the plane whose distances are as near to those between weights as a plane allows (SMACOF). */
export interface MapPlaces {
  /** `[x, y]` of each network, in units of distance between weights; the middle of all is the origin. */
  readonly networks: readonly (readonly [x: number, y: number])[];
  readonly mean: readonly [x: number, y: number];
  /**
   * How far distances in the plane are from those between weights: Kruskal's stress, 0 if all are kept;
   * above 0.2 they tell little.
   */
  readonly stress: number;
}

/** Everything that was measured of networks in one state of alignment. */
export interface MapStage {
  /** All pairs, in the order (0, 1), (0, 2), ... */
  readonly pairs: readonly MappedPair[];
  readonly mean: MappedMean;
  readonly tree: MapTree;
  readonly places: MapPlaces;
}

/** Barriers and distances of all pairs of networks, as they are and once aligned. */
export interface MapResult extends LossFields {
  readonly kind: "map";
  readonly networks: readonly MappedNetwork[];
  readonly before: MapStage;
  readonly after: MapStage;
  /** How the networks were aligned, see `matchMany` of `@isthmus/weight-matching`. */
  readonly many: string;
  /** Evenly spaced places of each pair. */
  readonly points: number;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly seed: number;
  readonly engine: string;
}
