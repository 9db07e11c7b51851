import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import type { BarrierPoint } from "./barrier-result.ts";

/** Network of a map. */
export interface MappedNetwork {
  /** Source of the network: its file or folder, or a description. */
  readonly source: string;
  /** Role of the network. A star is aligned and measured with the others, but is not part of their mean. */
  readonly role: "network" | "star";
  /** Mean loss, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`; NaN (null in JSON) if the loss has no errors. */
  readonly error: number;
}

/** Measures of two networks of a map. */
export interface MappedPair {
  /** Index of one of the networks, less than the index `b` of the other. */
  readonly a: number;
  /** Index of the other network in the list of networks. */
  readonly b: number;
  /** Chord barrier of the loss on the straight line between the networks, at least 0, in nats. */
  readonly loss: number;
  /** Chord barrier of the error on the same line, at least 0. */
  readonly error: number;
  /** Euclidean distance between the parameters of both networks. */
  readonly distance: number;
  /**
   * Losses at the places between `a` and `b`, the ends excluded, in the order from `a` to `b`,
   * `[points - 2]`. Missing in older files.
   */
  readonly losses?: readonly number[];
  /** Errors at the same places; NaN (null in JSON) if the loss has no errors. Missing in older files. */
  readonly errors?: readonly number[];
}

/** Path between two networks of a map that another result measured, such as a trained curve or a walk. */
export interface MappedPath {
  /** Name of the path in figures and tables. */
  readonly label: string;
  /** Index of the network at the beginning of the path. */
  readonly a: number;
  /** Index of the network at its end. */
  readonly b: number;
  /** Measured places, ascending in `t`, from 0 to 1. */
  readonly points: readonly BarrierPoint[];
  /** Name of the examples that were evaluated; they may be others than the examples of the map. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
}

/** Losses on a grid of a plane that goes through three networks of a map: the ground that they stand on. */
export interface MapGround {
  /** State of alignment of the networks that stand on the ground. */
  readonly stage: "before" | "after";
  /** Ascending coordinates of the columns. */
  readonly xs: readonly number[];
  /** Ascending coordinates of the rows. */
  readonly ys: readonly number[];
  /**
   * Vectors of the plane, in units of distance between weights, along which the coordinates of columns and of
   * rows count: `[[1, 0], [0, 1]]` for axes at right angles in units of distance.
   */
  readonly basis: readonly [column: Vector, row: Vector];
  /** Mean loss, `[ys][xs]`; NaN (null in JSON) if it is no number. */
  readonly loss: readonly (readonly number[])[];
  /** Share of examples classified wrongly, `[ys][xs]`; NaN (null in JSON) if the loss has no errors. */
  readonly error: readonly (readonly number[])[];
  /** Networks of the map that have a place on the plane; at least three of them lie in it. */
  readonly networks: readonly MapGroundPlace[];
  /** Minima and saddles of the losses on the grid. @defaultValue they were not looked for */
  readonly marks?: readonly MapGroundMark[];
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
}

/** A minimum or a saddle of the ground: a place of the merge tree of its losses. */
export interface MapGroundMark {
  /** Whether branches of the tree begin at the place, or meet there. */
  readonly kind: "minimum" | "saddle";
  /** Coordinate of the place on the axis of the columns. */
  readonly x: number;
  /** Coordinate of the place on the axis of the rows. */
  readonly y: number;
  /** Loss at the place. */
  readonly loss: number;
  /** Loss of the saddle at which a minimum joins a deeper one; absent for the deepest, and for saddles. */
  readonly joins?: number;
}

/** A network of a map at the nearest place of the ground. */
export interface MapGroundPlace {
  /** Index of the network; the number of networks stands for their mean. */
  readonly network: number;
  /** Coordinate of its place on the axis of the columns. */
  readonly x: number;
  /** Coordinate of its place on the axis of the rows. */
  readonly y: number;
  /** Distance from the plane, in units of distance between weights; about 0 if the network lies in it. */
  readonly distance: number;
}

/** Two coordinates of a vector in a plane. */
type Vector = readonly [x: number, y: number];

/** Mean of the networks of a map, without the star. */
export interface MappedMean {
  /** Mean loss of the mean, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /** Share of examples that the mean classifies wrongly, in `[0, 1]`. */
  readonly error: number;
  /** Euclidean distances of the mean's parameters from each network, `[networks]`. */
  readonly distances: readonly number[];
}

/** Tree of networks that are joined step by step, the nearest first, by average linkage of their barriers. */
export interface MapTree {
  /**
   * Joins in order, one fewer than networks. Numbers below the number `n` of networks denote networks; the
   * join of index `k` makes the group `n + k`.
   */
  readonly joins: readonly { readonly a: number; readonly b: number; readonly height: number }[];
  /**
   * Indices of the networks in the order in which neighbours in the tree stand beside each other,
   * `[networks]`.
   */
  readonly order: readonly number[];
}

/**
 * Places of networks in the plane, whose distances are as near to the distances between weights as a plane
 * allows (SMACOF).
 */
export interface MapPlaces {
  /** Coordinates `[x, y]` of each network, in units of distance between weights; the origin is their mean. */
  readonly networks: readonly (readonly [x: number, y: number])[];
  /** Coordinates `[x, y]` of the mean of the networks. */
  readonly mean: readonly [x: number, y: number];
  /**
   * Misfit of distances in the plane to distances between weights: Kruskal's stress, 0 if all distances are
   * kept. Above 0.2, distances in the plane say little.
   */
  readonly stress: number;
}

/** All measures of the networks in one state of alignment. */
export interface MapStage {
  /** Measures of all pairs, in the order (0, 1), (0, 2), ... */
  readonly pairs: readonly MappedPair[];
  /** Loss, error and distances of the mean of the networks. */
  readonly mean: MappedMean;
  /** Tree of the networks, by joining the nearest ones first. */
  readonly tree: MapTree;
  /** Places of the networks in the plane. */
  readonly places: MapPlaces;
}

/** Barriers and distances of all pairs of networks, before and after alignment. */
export interface MapResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "map";
  /** Networks in the order of the arguments, a star last. */
  readonly networks: readonly MappedNetwork[];
  /** Measures of the networks in their own order of units. */
  readonly before: MapStage;
  /** Measures of the networks after all were aligned to each other. */
  readonly after: MapStage;
  /** Method by which the networks were aligned, see `matchMany` of `@isthmus/weight-matching`. */
  readonly many: string;
  /** Losses on a plane through three of the networks; absent if they were not measured. */
  readonly ground?: MapGround;
  /** Paths between networks that other results measured. @defaultValue none */
  readonly paths?: readonly MappedPath[];
  /** Number of evenly spaced places between each pair of networks, both included. */
  readonly points: number;
  /** Treatment of batch norms between a pair, and of the mean. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated for each network. */
  readonly examples: number;
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Seed of the alignment of all networks to each other. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
