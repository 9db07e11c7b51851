import type { BarrierCurve, DrawableInterval, DrawableValues, Measure } from "../barrier-curve.ts";
import { CURVE_STYLES } from "../figure/palette.ts";
import { formatBarrier, formatMeasure, formatNumber, formatPlace } from "../format-value.ts";
import { type Html, html } from "../html.ts";

const MEASURES: readonly Measure[] = ["loss", "error"];

const DEFINITIONS: readonly {
  readonly key: keyof DrawableValues;
  readonly name: string;
  readonly formula: string;
}[] = [
  { key: "chord", name: "Above the chord", formula: "max over t of L(t) − [(1 − t) L(0) + t L(1)]" },
  {
    key: "meanOfEndpoints",
    name: "Above the mean of the ends",
    formula: "max over t of L(t) − [L(0) + L(1)] / 2",
  },
  { key: "maxEndpoint", name: "Above the higher end", formula: "max over t of L(t) − max(L(0), L(1))" },
  { key: "midpoint", name: "At the midpoint", formula: "L(1/2) − [L(0) + L(1)] / 2" },
];

function columnHeads(curves: readonly BarrierCurve[]): Html[] {
  return curves.map(
    ({ label }, index) =>
      html`<th scope="colgroup" colspan="2"><span class="swatch curve-${index % CURVE_STYLES}"></span>${label}</th>`,
  );
}

function measureHeads(curves: readonly BarrierCurve[]): Html[] {
  return curves.flatMap(() =>
    MEASURES.map((measure) => html`<th scope="col">${measure === "loss" ? "Loss" : "Error"}</th>`),
  );
}

/** Table of the barrier definitions, one column pair for each curve. */
export function renderDefinitions(curves: readonly BarrierCurve[]): Html {
  const rows = DEFINITIONS.map(
    ({ key, name, formula }) =>
      html`<tr><th scope="row" class="wrap">${name}<small>${formula}</small></th>${curves.flatMap(
        ({ result }) =>
          MEASURES.map((measure) => html`<td>${formatBarrier(result.barrier[measure][key], measure)}</td>`),
      )}</tr>`,
  );
  const at = html`<tr><th scope="row" class="wrap">Reached at t<small>place of the first definition's maximum</small></th>${curves.flatMap(
    ({ result }) => MEASURES.map((measure) => html`<td>${formatPlace(result.barrier[measure].at)}</td>`),
  )}</tr>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Barriers by definition"><table>
<caption>Loss in nats, error in percentage points. L(t) is the loss, or the error, at place t.</caption>
<thead><tr><td></td>${columnHeads(curves)}</tr><tr><th scope="col">Definition</th>${measureHeads(curves)}</tr></thead>
<tbody>${rows}${at}${intervalRow(curves)}</tbody></table></div>`;
}

function formatRange(range: DrawableInterval | undefined, measure: Measure): string {
  if (!range) return "–";
  const [low, high] = [range.low, range.high].map((value) =>
    measure === "loss" ? formatNumber(value) : (100 * value).toFixed(2),
  );
  return `${low} to ${high}`;
}

function intervalRow(curves: readonly BarrierCurve[]): Html | undefined {
  const interval = curves.find(({ result }) => result.interval !== undefined)?.result.interval;
  if (!interval) return undefined;
  const cells = curves.flatMap(({ result }) =>
    MEASURES.map((measure) => html`<td>${formatRange(result.interval?.[measure], measure)}</td>`),
  );
  const how = `${interval.resamples} bootstrap resamples of the examples`;
  return html`<tr><th scope="row" class="wrap">${Math.round(100 * interval.level)} % interval above the chord<small>${how}</small></th>${cells}</tr>`;
}

/** Table of every point of every curve; places that a curve was not measured at stay empty. */
export function renderPoints(curves: readonly BarrierCurve[]): Html {
  const places = [...new Set(curves.flatMap(({ result }) => result.points.map(({ t }) => t)))].sort(
    (a, b) => a - b,
  );
  const byPlace = curves.map(({ result }) => new Map(result.points.map((point) => [point.t, point])));
  const rows = places.map((t) => {
    const cells = byPlace.flatMap((points) => {
      const point = points.get(t);
      return MEASURES.map((measure) => html`<td>${point ? formatMeasure(point[measure], measure) : ""}</td>`);
    });
    const peak = curves.some(({ result }) => result.barrier.loss.at === t);
    return html`<tr${peak ? html` class="peak"` : undefined}><th scope="row">${formatPlace(t)}</th>${cells}</tr>`;
  });
  return html`<div class="scroll tall" tabindex="0" role="group" aria-label="Every measured point"><table>
<caption>Loss in nats, error in percent; the place of a curve's loss barrier is in bold.</caption>
<thead><tr><td></td>${columnHeads(curves)}</tr><tr><th scope="col">t</th>${measureHeads(curves)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
