import { describeResult } from "../result/describe-result.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { renderPage } from "./render-page.ts";
import type { ReportPage } from "./report-page.ts";

/** What a page of a result of any kind shows. */
export interface ResultPage extends ReportPage {
  readonly result: DrawableResult;
}

/**
 * Renders a result of any kind as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if the result has nothing to draw, or contradicts itself
 */
export async function renderResultPage(page: ResultPage): Promise<string> {
  return renderPage(page, describeResult(page.result));
}
