import type { BarrierResult } from "@isthmus/barrier";
import type { BarrierCurve } from "@isthmus/report";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import type { TrainedPair } from "./train-pair.ts";

/** The findings of the demo: two networks, their alignment, and the barriers between them. */
export interface Findings {
  readonly pair: TrainedPair;
  readonly aligned: AlignedNetwork;
  /** The barrier from A to B as trained. */
  readonly before: BarrierResult;
  /** The barrier from A to the aligned B. */
  readonly after: BarrierResult;
}

/** Files that the demo writes. */
export interface DemoFiles {
  readonly a: string;
  readonly b: string;
  readonly graph: string;
  readonly merged: string;
  readonly alignment: string;
  readonly numbers: string;
  readonly page: string;
}

/** Returns the curves of both paths, to be drawn in one figure. */
export function curvesOf({ before, after }: Pick<Findings, "before" | "after">): BarrierCurve[] {
  return [
    { label: "as trained", result: before },
    { label: "aligned", result: after },
  ];
}
