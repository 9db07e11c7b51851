import type { BarrierCurve } from "../barrier-curve.ts";

/** What a barrier page shows. */
export interface BarrierPage {
  readonly title: string;
  /** One or more curves over the same path definition, for example before and after alignment. */
  readonly curves: readonly BarrierCurve[];
  /** Plain sentences shown under the figures. */
  readonly notes?: readonly string[];
  /** The command lines that produced the measurement, so that a reader can repeat it. */
  readonly commands?: readonly string[];
  /** More facts of the run, in order: a seed, a version, an alignment's objective. */
  readonly facts?: readonly { readonly name: string; readonly value: string }[];
  /** Version of the software, for the footer. */
  readonly version?: string;
}
