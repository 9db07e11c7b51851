import type { BarrierCurve, Measure } from "../barrier-curve.ts";
import { renderBarrierSvg } from "../figure/render-barrier-svg.ts";
import { type Html, html, trusted } from "../html.ts";
import { flattestCurve } from "./summary.ts";

/** Ratio of barriers from which the lowest curve looks like a line beside the highest. */
const NEEDS_ENLARGING = 8;

interface FigurePlan {
  readonly measure: Measure;
  readonly caption: Html;
  readonly size: "hero" | "half";
  readonly only?: readonly number[];
}

const SIZES = {
  hero: { width: 960, height: 420 },
  half: { width: 480, height: 330 },
  compact: { width: 340, height: 300 },
} as const;

/** Draws the figures of a page, each full and compact: a style sheet shows the one that fits. */
export async function renderFigures(curves: readonly BarrierCurve[]): Promise<Html[]> {
  return Promise.all(planFigures(curves).map((plan, index) => renderFigure(curves, plan, index + 1)));
}

function planFigures(curves: readonly BarrierCurve[]): FigurePlan[] {
  const intervals = curves.some(({ result }) => result.interval !== undefined);
  const legend = html`Circles and other marks are measurements; a dotted line is the chord between the ends of a curve,
and the bracket on it the barrier.${intervals ? " A pale bar is the bootstrap interval of the barrier over examples." : ""}`;
  const plans: FigurePlan[] = [
    { measure: "loss", size: "hero", caption: html`<b>Mean loss along the path.</b> ${legend}` },
    {
      measure: "error",
      size: "half",
      caption: html`<b>Classification error along the path,</b> in percent.`,
    },
  ];
  const flat = flattestCurve(curves, NEEDS_ENLARGING);
  const curve = curves[flat];
  if (curve) {
    plans.push({
      measure: "loss",
      size: "half",
      only: [flat],
      caption: html`<b>The same loss, ${curve.label} alone,</b> on a scale of its own.`,
    });
  }
  return plans;
}

async function renderFigure(
  curves: readonly BarrierCurve[],
  plan: FigurePlan,
  number: number,
): Promise<Html> {
  const shared = { measure: plan.measure, standalone: false, only: plan.only ?? [] };
  const [full, compact] = await Promise.all([
    renderBarrierSvg(curves, { ...shared, ...SIZES[plan.size] }),
    renderBarrierSvg(curves, { ...shared, ...SIZES.compact }),
  ]);
  return html`<figure class="${plan.size}"><div class="full">${trusted(full)}</div><div class="compact">${trusted(compact)}</div>
<figcaption>Figure ${number}. ${plan.caption}</figcaption></figure>`;
}
