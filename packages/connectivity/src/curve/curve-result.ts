import type { BarrierPoint } from "@isthmus/barrier";
import type { LossFields } from "@isthmus/graph";
import type { CurveKind } from "@isthmus/interpolation";
import type { NormPolicy } from "@isthmus/statistics";
import type { EpochResult } from "@isthmus/training";

/** Summary of loss or error along a path. */
export interface PathSummary {
  readonly min: number;
  readonly max: number;
  /** Mean over the places, which are even in t. */
  readonly mean: number;
  /** Integral over the length of the path, divided by the length (Garipov et al. 2018). */
  readonly lengthMean: number;
  /** Place of the maximum, in `[0, 1]`. */
  readonly at: number;
}

/** Loss and error at places of a path between two networks. */
export interface MeasuredPath {
  /**
   * Ascending in t, from 0 to 1; `length` is the length of the path up to the place, as a distance between
   * weights.
   */
  readonly points: readonly (BarrierPoint & { readonly length: number })[];
  readonly length: number;
  readonly loss: PathSummary;
  readonly error: PathSummary;
}

/** A curve that was trained between two networks, beside the straight line. */
export interface CurveResult extends LossFields {
  readonly kind: "curve";
  readonly curve: CurveKind;
  /** Networks between the ends that were trained. */
  readonly bends: number;
  /** Results of each epoch of training, measured at random places of the curve. */
  readonly epochs: readonly EpochResult[];
  /** Name of the examples the bends were trained on. */
  readonly trainingData: string;
  readonly path: MeasuredPath;
  readonly line: MeasuredPath;
  /**
   * Mean loss of the ends less the loss on the curve where it differs most from that mean: below 0 where the
   * ends are poorly connected, above 0 where they are poorly trained (Yang et al. 2021). Missing in older
   * files.
   */
  readonly modeConnectivity?: number;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly seed: number;
  readonly engine: string;
}
