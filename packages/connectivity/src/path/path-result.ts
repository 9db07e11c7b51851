import type { BarrierPoint, MeasuredPair } from "@isthmus/barrier";
import type { NormPolicy } from "@isthmus/statistics";

/** Summary of loss or error along a path. */
export interface PathSummary {
  /** Smallest value over the places. */
  readonly min: number;
  /** Largest value over the places. */
  readonly max: number;
  /** Mean over the places, which are evenly spaced in t. */
  readonly mean: number;
  /**
   * Integral over the length of the path, divided by the length (Garipov et al. 2018); the mean over the
   * places if the length is 0.
   */
  readonly lengthMean: number;
  /** Place of the maximum, in `[0, 1]`. */
  readonly at: number;
}

/** Loss and error at places of a path between two networks. */
export interface MeasuredPath {
  /**
   * Measured places, ascending in t, from 0 to 1; `length` is the length of the path up to the place, as a
   * distance between weights.
   */
  readonly points: readonly (BarrierPoint & { readonly length: number })[];
  /** Length of the whole path, as a distance between weights. */
  readonly length: number;
  /** Summary of the losses at the places. */
  readonly loss: PathSummary;
  /** Summary of the errors at the places. */
  readonly error: PathSummary;
}

/** Loss and error on a path that was made between two networks, and on the straight line. */
export interface PathResult extends MeasuredPair {
  /** Loss and error along the path. */
  readonly path: MeasuredPath;
  /** Loss and error along the straight line between the ends. */
  readonly line: MeasuredPath;
  /** Treatment of running statistics between the ends. */
  readonly statistics: NormPolicy;
  /** Seed by which the path was made. */
  readonly seed: number;
}

/** Measured path with its name. */
export interface NamedMeasuredPath {
  /** Name of the path. */
  readonly name: string;
  /** Loss and error along the path. */
  readonly path: MeasuredPath;
}

/** Loss and error on a path between two networks, beside the straight line and other paths. */
export interface PathsResult extends PathResult {
  /** Other paths, in the order of the option `beside`. */
  readonly beside: readonly NamedMeasuredPath[];
}
