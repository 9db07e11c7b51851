import { describeStar } from "../result/describe-star.ts";
import { renderPage } from "./render-page.ts";
import type { StarPage } from "./report-page.ts";

/**
 * Renders a star domain as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if no pair of networks was measured
 */
export async function renderStarPage(page: StarPage): Promise<string> {
  return renderPage(page, describeStar(page.result));
}
