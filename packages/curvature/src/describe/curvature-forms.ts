import type { CurvatureMeasures, CurvatureResult } from "../curvature-result.ts";

/** Form in which a network was measured, and the measures around it. */
export interface Form {
  /** Words for the form beside its numbers; empty if there is only one form. */
  readonly label: string;
  /** Measures of the network in this form. */
  readonly measures: CurvatureMeasures;
}

/**
 * Lists the original network, without a label if it is the only form, and its canonical form if that was
 * measured.
 */
export const formsOf = (result: CurvatureResult): Form[] => [
  { label: result.canonical ? "as trained" : "", measures: result },
  ...(result.canonical ? [{ label: "canonical form", measures: result.canonical }] : []),
];
