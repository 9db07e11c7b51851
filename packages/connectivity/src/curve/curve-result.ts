import type { BarrierPoint } from "@isthmus/barrier";
import type { LossFields } from "@isthmus/graph";
import type { CurveKind } from "@isthmus/interpolation";
import type { NormPolicy } from "@isthmus/statistics";
import type { EpochResult } from "@isthmus/training";

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

/** Losses and errors on a curve that was trained between two networks, and on the straight line. */
export interface CurveResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "curve";
  /** Kind of the trained curve. */
  readonly curve: CurveKind;
  /** Number of networks between the ends, which were trained. */
  readonly bends: number;
  /** Results of each epoch of training, measured at random places of the curve. */
  readonly epochs: readonly EpochResult[];
  /** Name of the examples on which the bends were trained. */
  readonly trainingData: string;
  /** Loss and error along the trained curve. */
  readonly path: MeasuredPath;
  /** Loss and error along the straight line between the ends. */
  readonly line: MeasuredPath;
  /**
   * Mean loss of the ends minus the loss at the place of the curve that differs most from that mean: below 0
   * if the ends are poorly connected, above 0 if they are poorly trained (Yang et al. 2021). Missing in older
   * files.
   */
  readonly modeConnectivity?: number;
  /** Treatment of batch norms between the ends. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated at each place. */
  readonly examples: number;
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Source of the first network, such as its file. */
  readonly a: string;
  /** Source of the second network, such as its file. */
  readonly b: string;
  /** Seed of the training: of the order of examples, and of the places on the curve. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
