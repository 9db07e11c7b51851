import type { BarrierValues } from "@isthmus/barrier";
import type { NormPolicy } from "@isthmus/statistics";
import type { MeasuredPath } from "../path/path-result.ts";

/** Loss and error along a path on one data set. */
export interface MechanismSet {
  /** Name of the set, such as `random cue`. */
  readonly name: string;
  readonly data: string;
  readonly examples: number;
  readonly path: MeasuredPath;
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** Difference of the errors of both ends, in `[0, 1]`. */
  readonly gap: number;
  /** Whether the error rises above the chord by at most the tolerance. */
  readonly connected: boolean;
}

/** Connectivity of two networks on several data sets, which differ in the features that predict the label. */
export interface MechanismsResult {
  readonly kind: "mechanisms";
  readonly sets: readonly MechanismSet[];
  /** Whether the networks are connected on every set. */
  readonly connected: boolean;
  /**
   * Whether both networks are equally good on every set, up to the tolerance, so that they predict by the
   * same mechanisms.
   */
  readonly similar: boolean;
  /** Tolerance: the largest barrier of the error, and the largest gap, that count as none, in `[0, 1]`. */
  readonly tolerance: number;
  /** Name of the path, such as `line to B aligned`. */
  readonly path: string;
  readonly statistics: NormPolicy;
  /** Name of the examples on which statistics for all sets were measured; missing if statistics were kept. */
  readonly statisticsData?: string;
  readonly a: string;
  readonly b: string;
  readonly engine: string;
}
