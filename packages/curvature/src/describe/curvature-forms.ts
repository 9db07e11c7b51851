import type { CurvatureMeasures, CurvatureResult } from "../curvature-result.ts";

/** Form in which a network was measured, and the measures around it. */
export interface Form {
  readonly label: string;
  readonly measures: CurvatureMeasures;
}

/**
 * Lists the original network, without a label if it is the only form, and its canonical form if that was
 * measured.
 */
export const formsOf = (result: CurvatureResult): Form[] => [
  { label: result.canonical ? "as it is" : "", measures: result },
  ...(result.canonical ? [{ label: "canonical form", measures: result.canonical }] : []),
];
