import type { BarrierValues } from "@isthmus/barrier";
import type { NormPolicy } from "@isthmus/statistics";
import type { MeasuredPath } from "../path/path-result.ts";

/** Loss and error along a path on one data set. */
export interface MechanismSet {
  /** Name of the set, such as `random cue`. */
  readonly name: string;
  /** Name of the examples of the set, such as `mnist:test`. */
  readonly data: string;
  /** Number of examples of the set. */
  readonly examples: number;
  /** Loss and error along the path on these examples. */
  readonly path: MeasuredPath;
  /** Barriers of the loss and of the error along the path. */
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** Difference of the errors of both ends, in `[0, 1]`. */
  readonly gap: number;
  /** Whether the error rises above the chord by at most the tolerance. */
  readonly connected: boolean;
}

/** Connectivity of two networks on several data sets, which differ in the features that predict the label. */
export interface MechanismsResult {
  /** Kind of the result. */
  readonly kind: "mechanisms";
  /** Results on each data set, in the order in which the sets were passed. */
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
  /** Treatment of batch norms between the ends. */
  readonly statistics: NormPolicy;
  /** Name of the examples on which statistics for all sets were measured; missing if statistics were kept. */
  readonly statisticsData?: string;
  /** Source of the first network, such as its file. */
  readonly a: string;
  /** Source of the second network, such as its file. */
  readonly b: string;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
