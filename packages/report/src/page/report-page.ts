import type { PageFact } from "@isthmus/findings";

/** Contents of every page around its result. */
export interface ReportPage {
  /** Title of the page, also its heading. */
  readonly title: string;
  /** Plain sentences under the figures. */
  readonly notes?: readonly string[];
  /** Command lines that produced the result, so that a reader can repeat it. */
  readonly commands?: readonly string[];
  /** Additional facts of the run, in order: a seed, a version, an alignment's objective. */
  readonly facts?: readonly PageFact[];
  /** Version of the software, for the footer. */
  readonly version?: string;
}
