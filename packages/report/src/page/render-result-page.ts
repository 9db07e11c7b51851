import { assertDrawable, type BarrierCurve } from "../barrier-curve.ts";
import { describeBarriers } from "../result/describe-barriers.ts";
import { describeResult } from "../result/describe-result.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { renderPage } from "./render-page.ts";
import type { ReportPage } from "./report-page.ts";
import type { WorkerRow } from "./worker-row.ts";
import { workersSection } from "./workers-section.ts";

/** What a page of a result of any kind shows. */
export interface ResultPage extends ReportPage {
  readonly result: DrawableResult;
  /** Which machines have made it, which is no part of the result. @defaultValue not shown */
  readonly workers?: readonly WorkerRow[] | undefined;
}

/** What a page that compares barriers shows. */
export interface BarrierPage extends ReportPage {
  /** One or more curves over the same path definition, for example before and after alignment. */
  readonly curves: readonly BarrierCurve[];
}

/**
 * Renders a result of any kind as one self-contained HTML page, without network: see the README for what
 * pages hold. The same input gives the same bytes.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { BarrierResult } from "@isthmus/barrier";
 * import { renderResultPage } from "@isthmus/report";
 *
 * const values = { chord: 1.4, meanOfEndpoints: 1.4, maxEndpoint: 1.4, midpoint: 1.4, at: 0.5 };
 * const result: BarrierResult = {
 *   kind: "barrier",
 *   points: [0, 0.5, 1].map((t) => ({ t, loss: t === 0.5 ? 1.5 : 0.1, error: 0.02 })),
 *   barrier: { loss: values, error: values },
 *   ...{ a: "a.pt", b: "b.pt", data: "mnist:test", examples: 10_000 },
 *   ...{ path: "linear", statistics: "keep", engine: "onnxruntime" },
 * }; // as measureBarrier returns it
 * const page = await renderResultPage({ title: "Two networks", result }); // what to write as barrier.html
 * assert(page.startsWith("<!doctype html>"));
 * ```
 */
export async function renderResultPage(page: ResultPage): Promise<string> {
  const { result, workers = [] } = page;
  const report = describeResult(result);
  if (workers.length === 0) return renderPage(page, report);
  return renderPage(page, { ...report, sections: [...report.sections, workersSection(workers)] });
}

/**
 * Renders several barrier measurements as one self-contained HTML page that compares them.
 *
 * @throws UsageError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export async function renderBarrierPage(page: BarrierPage): Promise<string> {
  assertDrawable(page.curves);
  return renderPage(page, describeBarriers(page.curves));
}
