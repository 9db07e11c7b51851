import type { BarrierPoint, MeasuredPair } from "@isthmus/barrier";
import type { NormPolicy } from "@isthmus/statistics";

/** Summary of loss or error along a path. */
export interface PathSummary {
  readonly min: number;
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
  readonly length: number;
  readonly loss: PathSummary;
  readonly error: PathSummary;
}

/** Loss and error on a path that was made between two networks, and on the straight line. */
export interface PathResult extends MeasuredPair {
  readonly path: MeasuredPath;
  readonly line: MeasuredPath;
  /** Treatment of running statistics between the ends. */
  readonly statistics: NormPolicy;
  /** Seed by which the path was made. */
  readonly seed: number;
}

/** Measured path with its name. */
export interface NamedMeasuredPath {
  readonly name: string;
  readonly path: MeasuredPath;
}

/** Loss and error on a path between two networks, beside the straight line and other paths. */
export interface PathsResult extends PathResult {
  /** Other paths, in the order of the option `beside`. */
  readonly beside: readonly NamedMeasuredPath[];
}
