import type { CurvatureMeasures, CurvatureResult } from "../curvature-result.ts";

/** A network as it was measured, and what is around it. */
export interface Form {
  readonly label: string;
  readonly measures: CurvatureMeasures;
}

/** Lists the network as it is, without a label if it is alone, and its canonical form if it was measured. */
export const formsOf = (result: CurvatureResult): Form[] => [
  { label: result.canonical ? "as it is" : "", measures: result },
  ...(result.canonical ? [{ label: "canonical form", measures: result.canonical }] : []),
];
