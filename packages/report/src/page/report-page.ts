import type { PageFact } from "@isthmus/findings";

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
