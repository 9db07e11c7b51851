import type { BarrierCurve } from "../barrier-curve.ts";
import { CURVE_STYLES } from "../figure/palette.ts";
import { formatBarrier, formatNumber } from "../format-value.ts";
import { type Html, html } from "../html.ts";

/** Ratio of barriers from which the smaller deserves words, and a figure of its own. */
const WORTH_TELLING = 2;

/** What the curves show, as one or two sentences. */
export function summarise(curves: readonly BarrierCurve[]): string {
  const [first, ...others] = curves;
  if (!first) return "";
  const { loss, error } = first.result.barrier;
  const last = others.at(-1);
  if (!last) {
    return `Between the two networks the loss rises by up to ${formatNumber(loss.chord)} nats above the straight line between its ends, and the error by up to ${formatBarrier(error.chord, "error")}.`;
  }
  const end = last.result.barrier.loss.chord;
  const change = `The loss barrier is ${formatNumber(loss.chord)} nats ${first.label} and ${formatNumber(end)} nats ${last.label}`;
  const ratio = loss.chord / end;
  if (end > 0 && ratio >= WORTH_TELLING) return `${change}: ${Math.round(ratio)} times lower.`;
  return `${change}.`;
}

/** One tile for each curve: its barrier, large. */
export function renderTiles(curves: readonly BarrierCurve[]): Html {
  const tiles = curves.map(({ label, result }, index) => {
    const { barrier, interval } = result;
    const range = interval
      ? `${Math.round(100 * interval.level)} % interval ${formatNumber(interval.loss.low)} to ${formatNumber(interval.loss.high)}`
      : undefined;
    return html`<li class="tile curve-${index % CURVE_STYLES}"><span class="name">${label}</span>
<span class="value">${formatNumber(barrier.loss.chord)} <span class="unit">nats</span></span>
<span class="more">error barrier ${formatBarrier(barrier.error.chord, "error")}</span>${
      range === undefined ? undefined : html`<span class="more">${range}</span>`
    }</li>`;
  });
  return html`<ul class="tiles">${tiles}</ul>`;
}

/**
 * Index of a curve so much flatter than the highest one that it needs a figure of its own; -1 if none.
 */
export function flattestCurve(curves: readonly BarrierCurve[], ratio: number): number {
  const heights = curves.map(({ result }) => result.barrier.loss.chord);
  const lowest = Math.min(...heights);
  return Math.max(...heights) > ratio * Math.max(lowest, 0) && curves.length > 1
    ? heights.indexOf(lowest)
    : -1;
}
