import { describeStudy } from "../result/describe-study.ts";
import { renderPage } from "./render-page.ts";
import type { StudyPage } from "./report-page.ts";

/**
 * Renders what a study has found as one self-contained HTML page, without network: see the README for what pages hold.
 *
 * @throws TypeError if a figure is of a table or column that the study does not have, or of nothing
 */
export async function renderStudyPage(page: StudyPage): Promise<string> {
  return renderPage(page, describeStudy(page.result));
}
