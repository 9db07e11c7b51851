import { describePlane } from "../result/describe-plane.ts";
import { renderPage } from "./render-page.ts";
import type { PlanePage } from "./report-page.ts";

/**
 * Renders a plane as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if there is no network, or the grids do not fit the coordinates
 */
export async function renderPlanePage(page: PlanePage): Promise<string> {
  return renderPage(page, describePlane(page.result));
}
