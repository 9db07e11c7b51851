import type { Section } from "@isthmus/findings";
import { describeResult } from "../result/describe-result.ts";
import type { Drawable } from "../result/drawable-result.ts";
import { renderPage } from "./render-page.ts";
import type { ReportPage } from "./report-page.ts";

/** Contents of the page of a result of any kind. */
export interface ResultPage extends ReportPage {
  /** Result, or several named barriers to compare. */
  readonly result: Drawable;
  /** Machines that made the result; they are no part of it. @defaultValue not shown */
  readonly workers?: readonly WorkerRow[] | undefined;
}

/** Work of one worker for a result. */
interface WorkerRow {
  /** Name of the worker. */
  readonly worker: string;
  /** Number of tasks that the worker ran. */
  readonly tasks: number;
  /** Total seconds of its tasks. */
  readonly seconds: number;
}

/**
 * Renders a result of any kind, or several barriers beside each other, as one self-contained HTML page that
 * loads nothing: see the README for what pages hold. The same input gives the same bytes.
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
 *   a: "a.pt",
 *   b: "b.pt",
 *   data: "mnist:test",
 *   examples: 10_000,
 *   path: "linear",
 *   statistics: "keep",
 *   engine: "onnxruntime",
 * }; // as measureBarrier returns it
 * const page = await renderResultPage({ title: "Two networks", result }); // what to write as barrier.html
 * assert(page.startsWith("<!doctype html>"));
 * ```
 */
export async function renderResultPage(page: ResultPage): Promise<string> {
  const { result, workers = [] } = page;
  const report = await describeResult(result);
  if (workers.length === 0) return renderPage(page, report);
  return renderPage(page, { ...report, sections: [...report.sections, workersSection(workers)] });
}

/** Makes the section of a page that lists the machines that made the result. */
function workersSection(workers: readonly WorkerRow[]): Section {
  const caption = "Workers that have run the tasks, the number of tasks of each, and the time these took.";
  return {
    name: "section-workers",
    title: "Where it ran",
    figures: [],
    tables: [
      {
        name: "workers",
        title: "Where it ran",
        caption,
        columns: [
          { title: "Worker", kind: "text" },
          { title: "Tasks", kind: "whole" },
          { title: "Time", kind: "number", unit: "s" },
        ],
        rows: workers.map(({ worker, tasks, seconds }) => ({ cells: [worker, tasks, seconds] })),
      },
    ],
  };
}
