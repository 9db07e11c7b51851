import type { BarrierResult } from "@isthmus/barrier";
import type { BarrierCurve } from "@isthmus/report";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import type { TrainedPair } from "./train-pair.ts";

/** What the demo has found out. */
export interface Findings {
  readonly pair: TrainedPair;
  readonly aligned: AlignedNetwork;
  /** From A to B as trained. */
  readonly before: BarrierResult;
  /** From A to B aligned. */
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

/** Both paths, to be drawn in one figure. */
export function curvesOf({ before, after }: Pick<Findings, "before" | "after">): BarrierCurve[] {
  return [
    { label: "as trained", result: before },
    { label: "aligned", result: after },
  ];
}
