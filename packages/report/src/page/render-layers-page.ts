import { describeLayers } from "../result/describe-layers.ts";
import { renderPage } from "./render-page.ts";
import type { LayersPage } from "./report-page.ts";

/**
 * Renders barriers by layer as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if there is no group
 */
export async function renderLayersPage(page: LayersPage): Promise<string> {
  return renderPage(page, describeLayers(page.result));
}
