import type { CurveKind } from "@isthmus/interpolation";
import type { EpochResult } from "@isthmus/training";
import type { PathResult } from "../path/path-result.ts";

/** Losses and errors on a curve that was trained between two networks, and on the straight line. */
export interface CurveResult extends PathResult {
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
  /**
   * Mean loss of the ends minus the loss at the place of the curve that differs most from that mean: below 0
   * if the ends are poorly connected, above 0 if they are poorly trained (Yang et al. 2021). Missing in older
   * files.
   */
  readonly modeConnectivity?: number;
}
