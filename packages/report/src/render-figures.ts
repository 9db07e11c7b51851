import { type FiguresOptions, type RenderedFigure, renderFigure } from "./figure/render-figure.ts";
import { describeResult } from "./result/describe-result.ts";
import type { Drawable } from "./result/drawable-result.ts";

/**
 * Draws the figures of a result's page, each as an SVG that stands alone.
 *
 * A list of named barriers, `[{ label: "seeds 0 and 1", result }, ...]`, is drawn in one figure for the loss
 * and one for the error.
 *
 * @throws UsageError if the result has nothing to draw, or contradicts itself, or there is no such theme
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { BarrierResult } from "@isthmus/barrier";
 * import { renderFigures } from "@isthmus/report";
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
 * const [loss] = await renderFigures(result, { theme: "dark" }); // what to write as loss.svg
 * assert(loss?.name === "loss" && loss.svg.startsWith("<svg"));
 * ```
 */
export async function renderFigures(
  result: Drawable,
  options: FiguresOptions = {},
): Promise<RenderedFigure[]> {
  const figures = (await describeResult(result)).sections.flatMap((section) => section.figures);
  return Promise.all(figures.map((figure) => renderFigure(figure, options)));
}
