import type { BarrierValues } from "@isthmus/barrier";
import type { NormPolicy } from "@isthmus/statistics";
import type { MeasuredPath } from "../curve/curve-result.ts";

/** Loss and error along a path on one data set. */
export interface MechanismSet {
  /** What the set is called, such as `random cue`. */
  readonly name: string;
  readonly data: string;
  readonly examples: number;
  readonly path: MeasuredPath;
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** Difference of the errors of both ends, in `[0, 1]`. */
  readonly gap: number;
  /** Whether the error nowhere rises above the chord by more than the tolerance. */
  readonly connected: boolean;
}

/** Whether two networks are connected on several data sets, which differ in what predicts the label. */
export interface MechanismsResult {
  readonly kind: "mechanisms";
  readonly sets: readonly MechanismSet[];
  /** Whether they are connected on every set. */
  readonly connected: boolean;
  /** Whether both are as good as each other on every set, so that they predict by the same mechanisms. */
  readonly similar: boolean;
  /** The largest barrier of the error, and the largest gap, that count as none, in `[0, 1]`. */
  readonly tolerance: number;
  /** What the path is called, such as `line to B aligned`. */
  readonly path: string;
  readonly statistics: NormPolicy;
  /** Name of the examples that statistics of all sets were measured on; missing where they were kept. */
  readonly statisticsData?: string;
  readonly a: string;
  readonly b: string;
  readonly engine: string;
}
