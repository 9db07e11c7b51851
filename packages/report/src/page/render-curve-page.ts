import { describeCurve } from "../result/describe-curve.ts";
import { renderPage } from "./render-page.ts";
import type { CurvePage } from "./report-page.ts";

/**
 * Renders a curve between two networks as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if a path has fewer than two points
 */
export async function renderCurvePage(page: CurvePage): Promise<string> {
  return renderPage(page, describeCurve(page.result));
}
