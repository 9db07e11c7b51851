import { assertDrawable } from "../barrier-curve.ts";
import { describeBarriers } from "../result/describe-barriers.ts";
import { renderPage } from "./render-page.ts";
import type { BarrierPage } from "./report-page.ts";

/**
 * Renders a barrier measurement as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * The same input gives the same bytes.
 *
 * @throws TypeError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export async function renderBarrierPage(page: BarrierPage): Promise<string> {
  assertDrawable(page.curves);
  return renderPage(page, describeBarriers(page.curves));
}
