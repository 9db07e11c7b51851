import type { LayersResult, PlaneResult } from "@isthmus/barrier";
import type { CurveResult } from "@isthmus/curve";
import type { StarResult } from "@isthmus/star-domain";
import type { StudyResult } from "@isthmus/study";
import type { BarrierCurve } from "../barrier-curve.ts";

/** Something a page says about how its result was made. */
export interface PageFact {
  readonly name: string;
  readonly value: string;
}

/** What every page shows around its result. */
export interface ReportPage {
  readonly title: string;
  /** Plain sentences shown under the figures. */
  readonly notes?: readonly string[];
  /** The command lines that produced the result, so that a reader can repeat it. */
  readonly commands?: readonly string[];
  /** More facts of the run, in order: a seed, a version, an alignment's objective. */
  readonly facts?: readonly PageFact[];
  /** Version of the software, for the footer. */
  readonly version?: string;
}

/** What a barrier page shows. */
export interface BarrierPage extends ReportPage {
  /** One or more curves over the same path definition, for example before and after alignment. */
  readonly curves: readonly BarrierCurve[];
}

/** What a page of barriers by layer shows. */
export interface LayersPage extends ReportPage {
  readonly result: LayersResult;
}

/** What a page of a plane shows. */
export interface PlanePage extends ReportPage {
  readonly result: PlaneResult;
}

/** What a page of a curve shows. */
export interface CurvePage extends ReportPage {
  readonly result: CurveResult;
}

/** What a page of a star domain shows. */
export interface StarPage extends ReportPage {
  readonly result: StarResult;
}

/** What a page of a study shows. */
export interface StudyPage extends ReportPage {
  readonly result: StudyResult;
}
