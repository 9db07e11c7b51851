import { MEASURES, type Measure, type Table, type TableColumn, type TableRow } from "@isthmus/findings";
import type { BarrierPoint, BarrierValues } from "../barrier-result.ts";
import { type BarrierCurve, lossesOf, measuresErrors, type ShownCurve } from "./barrier-curve.ts";

/** Places whose perplexity is shown, each with a test of whether a point of a curve is there. */
const PLACES: readonly (readonly [
  name: string,
  isPlace: (point: BarrierPoint, curve: BarrierCurve) => boolean,
])[] = [
  ["perplexity at A", ({ t }) => t === 0],
  ["perplexity at B", ({ t }) => t === 1],
  ["perplexity at the barrier", ({ t }, { result }) => t === result.barrier.loss.at],
];

/** The definitions of a barrier in use, with their formulas. */
export const BARRIER_DEFINITIONS: readonly {
  readonly key: Exclude<keyof BarrierValues, "at">;
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

/** Perplexities of all curves at one place. */
interface PerplexityRow {
  /** Name of the place, such as `perplexity at A`. */
  readonly name: string;
  /**
   * Perplexity of each curve at this place, in the order of the curves; null for a curve without perplexity.
   */
  readonly values: readonly (number | null)[];
}

/** The measures that tables show of a curve: temperatures change no errors, and some losses have none. */
function measuresOf({ temperatures, result }: ShownCurve): readonly Measure[] {
  return temperatures === undefined && measuresErrors(result) ? MEASURES : ["loss"];
}

function measureColumns(curves: readonly ShownCurve[], errorKind: "share" | "points"): TableColumn[] {
  const columns = {
    loss: { title: "Loss", kind: "loss" },
    error: { title: "Error", kind: errorKind },
  } as const;
  return curves.flatMap((curve, style) =>
    measuresOf(curve).map((measure) => ({ ...columns[measure], group: curve.label, style })),
  );
}

/** Checks whether points are of a language model. */
export function hasPerplexity(points: readonly BarrierPoint[]): boolean {
  return points.some(({ perplexity }) => perplexity !== undefined);
}

/** Makes the table of the barrier definitions, one column pair for each curve. */
export function definitionsTable(curves: readonly ShownCurve[]): Table {
  const row = (name: string, value: (curve: ShownCurve, measure: Measure) => number | null) => ({
    cells: [name, ...curves.flatMap((curve) => measuresOf(curve).map((measure) => value(curve, measure)))],
  });
  const rows: TableRow[] = BARRIER_DEFINITIONS.map(({ key, name, formula }) => ({
    ...row(name, ({ result }, measure) => result.barrier[measure][key]),
    note: formula,
  }));
  rows.push({
    ...row("Reached at t", ({ result }, measure) => result.barrier[measure].at),
    note: "place of the first definition's maximum",
    kind: "place",
  });
  for (const { name, values } of perplexityRows(curves)) {
    const cells = curves.flatMap((curve, i) =>
      measuresOf(curve).map((_, k) => (k === 0 ? (values[i] ?? null) : null)),
    );
    rows.push({
      cells: [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, ...cells],
      note: "exp of the mean loss of all tokens",
      kind: "number",
    });
  }
  const interval = curves.find(({ result }) => result.interval !== undefined)?.result.interval;
  for (const end of interval ? (["low", "high"] as const) : []) {
    rows.push({
      ...row(
        `${Math.round(100 * (interval?.level ?? 0))} % interval above the chord, ${end} end`,
        ({ result }, measure) => result.interval?.[measure][end] ?? null,
      ),
      note: `${interval?.resamples} bootstrap resamples of the examples, seed ${interval?.seed}`,
    });
  }
  return {
    name: "definitions",
    title: "Barriers by definition",
    caption: `Loss ${lossesOf(curves).inUnits("percentage points")}. L(t) is the loss, or the error, at place t.`,
    columns: [{ title: "Definition", kind: "text" }, ...measureColumns(curves, "points")],
    rows,
    fixed: true,
  };
}

/**
 * Makes the table of every point of every curve; cells stay empty for places at which a curve was not
 * measured.
 */
export function pointsTable(curves: readonly ShownCurve[]): Table {
  const places = [...new Set(curves.flatMap(({ result }) => result.points.map(({ t }) => t)))].sort(
    (a, b) => a - b,
  );
  const isText = curves.some(({ result }) => hasPerplexity(result.points));
  const columns = curves.flatMap((curve, style) => {
    const further = { kind: "number" as const, group: curve.label, style };
    return [
      ...measureColumns([curve], "share").map((column) => ({ ...column, style })),
      ...(isText ? [{ title: "Perplexity", ...further }] : []),
      ...(curve.temperatures ? [{ title: "T", ...further }] : []),
    ];
  });
  const cellsAt = (curve: ShownCurve, t: number) => {
    const index = curve.result.points.findIndex((point) => point.t === t);
    const point = curve.result.points[index];
    return [
      ...measuresOf(curve).map((measure) => point?.[measure] ?? null),
      ...(isText ? [point?.perplexity ?? null] : []),
      ...(curve.temperatures ? [curve.temperatures[index] ?? null] : []),
    ];
  };
  const tempered = curves.some(({ temperatures }) => temperatures !== undefined);
  return {
    name: "points",
    title: "Every measured point",
    caption: `Loss ${lossesOf(curves).inUnits("percent")}${tempered ? ", T the temperature" : ""}; the place of a curve's loss barrier is in bold.`,
    columns: [{ title: "t", kind: "place" }, ...columns],
    rows: places.map((t) => ({
      cells: [t, ...curves.flatMap((curve) => cellsAt(curve, t))],
      strong: curves.some(({ result }) => result.barrier.loss.at === t),
    })),
  };
}

/**
 * Lists the perplexities of language models at both ends of each curve, and where its loss rises most above
 * the chord; returns no rows if no curve has perplexities.
 */
export function perplexityRows(curves: readonly BarrierCurve[]): readonly PerplexityRow[] {
  const rows = PLACES.map(([name, isPlace]) => ({
    name,
    values: curves.map(
      (curve) => curve.result.points.find((point) => isPlace(point, curve))?.perplexity ?? null,
    ),
  }));
  return rows.filter(({ values }) => values.some((value) => value !== null));
}
