import {
  dataWords,
  type Figure,
  formatBarrier,
  formatCounted,
  formatNumber,
  lossWords,
  type Measure,
  measureWords,
  type PageFact,
  type Report,
  type Tile,
} from "@isthmus/findings";
import type { BarrierResult } from "../barrier-result.ts";
import {
  assertDrawableCurves,
  type BarrierCurve,
  lossesOf,
  measuresErrors,
  type ShownCurve,
  withTemperedCurves,
} from "./barrier-curve.ts";
import { barrierPlot } from "./barrier-plot.ts";
import { definitionsTable, pointsTable } from "./barrier-tables.ts";
import { decompositionSections } from "./decomposition/describe-decomposition.ts";
import { temperatureFact, temperatureFigures, temperatureWords } from "./temperatures.ts";

/** Ratio of barriers from which the difference is stated in words. */
const WORTH_TELLING = 2;
/** Ratio of barriers from which the lowest curve looks like a line beside the highest. */
const NEEDS_ENLARGING = 8;

/**
 * Describes barrier curves for readers: a summary, tiles, figures along the path, and tables of all
 * definitions of a barrier and of every point.
 * @throws UsageError if there is no curve, or one cannot be drawn
 */
export function describeBarriers(curves: readonly BarrierCurve[]): Report {
  assertDrawableCurves(curves);
  const shown = withTemperedCurves(curves);
  const { decomposition } = curves.findLast((curve) => curve.decomposition !== undefined) ?? {};
  return {
    subject: "barrier along a path",
    summary: `${summarize(curves)}${temperedSummary(curves)}${unlikeData(curves)}`,
    tiles: shown.map(describeTile),
    sections: [
      { name: "curves", title: "Along the path", figures: figuresOf(shown), tables: [] },
      {
        name: "barriers",
        title: "The barrier, by every definition in use",
        figures: [],
        tables: [definitionsTable(shown)],
      },
      ...(decomposition === undefined ? [] : decompositionSections(decomposition)),
      { name: "points", title: "Every measured point", figures: [], tables: [pointsTable(shown)] },
    ],
    facts: [...sharedFacts(curves), ...temperatureFact(curves)],
    data: { curves },
  };
}

function summarize(curves: readonly BarrierCurve[]): string {
  const [first, ...others] = curves;
  if (!first) return "";
  const { loss } = first.result.barrier;
  const last = others.at(-1);
  if (!last) {
    return `Between the two networks ${riseWords(first.result)}.`;
  }
  const end = last.result.barrier.loss.chord;
  const ratio = loss.chord / end;
  const lower = end > 0 && ratio >= WORTH_TELLING && isSamePair(curves);
  return `${listBarriers(curves)}${lower ? `: ${Math.round(ratio)} times lower` : ""}.`;
}

/** Says by how much the loss and the error of a path rise above the straight line between their ends. */
function riseWords(result: BarrierCurve["result"]): string {
  const { loss, error } = result.barrier;
  const line = "above the straight line between its ends";
  const hasErrors = measuresErrors(result);
  if (loss.chord <= 0 && (!hasErrors || error.chord <= 0))
    return hasErrors ? `neither the loss nor the error rises ${line}` : `the loss does not rise ${line}`;
  const rise = loss.chord > 0 ? `rises by up to ${lossWords(result).amount(loss.chord)}` : "does not rise";
  if (!hasErrors) return `the loss ${rise} ${line}`;
  const ofError = error.chord > 0 ? `by up to ${formatBarrier(error.chord, "error")}` : "does not";
  return `the loss ${rise} ${line}, and the error ${loss.chord > 0 || error.chord <= 0 ? ofError : `rises ${ofError}`}`;
}

/** Says how high the barrier of each curve is. */
function listBarriers(curves: readonly BarrierCurve[]): string {
  const heights = curves.map(
    (curve) => `${lossWords(curve.result).amount(curve.result.barrier.loss.chord)} (${curve.label})`,
  );
  const list = `${heights.slice(0, -1).join(", ")} and ${heights.at(-1)}`;
  return isSamePair(curves) ? `The loss barrier is ${list}` : `The loss barriers are ${list}`;
}

/**
 * Tells whether two curves are of one pair of networks, before and after a change of B, such as its
 * alignment.
 */
function isSamePair([first, second, ...others]: readonly BarrierCurve[]): boolean {
  if (first === undefined || second === undefined || others.length > 0) return false;
  return first.result.a === second.result.a && first.result.b === second.result.b;
}

/** Says how high the barriers are with temperature; returns an empty text if there are no temperatures. */
function temperedSummary(curves: readonly BarrierCurve[]): string {
  const barriers = curves.flatMap(({ result: { tempered } }) => tempered?.barrier.chord ?? []);
  const last = barriers.at(-1);
  if (last === undefined) return "";
  const list = [...barriers.slice(0, -1).map(formatNumber), lossesOf(curves).amount(last)];
  return ` With a temperature fitted at every place it is ${list.join(" and ")}.`;
}

/**
 * Remarks that curves were measured on different examples, so that their heights are not comparable; returns
 * an empty text if all were measured on the same.
 */
function unlikeData(curves: readonly BarrierCurve[]): string {
  const sets = new Set(curves.map(({ result: { data, examples } }) => dataWords(data, examples)));
  return sets.size < 2 ? "" : ` They were measured on different examples: ${[...sets].join(", and ")}.`;
}

function describeTile({ label, result, temperatures }: ShownCurve, style: number): Tile {
  const { barrier, interval } = result;
  const more: string[] = [];
  if (temperatures !== undefined) more.push(temperatureWords(temperatures));
  else if (measuresErrors(result)) more.push(`error barrier ${formatBarrier(barrier.error.chord, "error")}`);
  if (interval) {
    more.push(
      `${Math.round(100 * interval.level)} % interval ${formatNumber(interval.loss.low)} to ${formatNumber(interval.loss.high)}`,
    );
  }
  return {
    name: label,
    value: formatNumber(barrier.loss.chord),
    unit: lossWords(result).unit,
    more,
    style,
  };
}

function figuresOf(curves: readonly ShownCurve[]): Figure[] {
  const measured = measuredWords(curves);
  const error = measureWords("error", lossesOf(curves), ...curves.map(({ result }) => result.data));
  const figure = (measure: Measure, only: readonly number[] = []) => ({
    ...barrierPlot(curves, { measure, only }),
    table: "points",
  });
  const tempered = curves.some(({ temperatures }) => temperatures !== undefined);
  // Errors are the same at every temperature.
  const withErrors = curves.flatMap(({ temperatures, result }, index) =>
    temperatures === undefined && measuresErrors(result) ? index : [],
  );
  const figures: Figure[] = [
    {
      ...figure("loss"),
      name: "loss",
      title: "Mean loss along the path.",
      caption: `Marks are measurements, joined by straight lines; a dotted line is the chord between the ends of a curve, and the bracket on it the barrier.${intervalWords(curves)}${tempered ? WITH_TEMPERATURE : ""} ${measured}`,
      size: "hero",
    },
  ];
  if (withErrors.length > 0) {
    figures.push({
      ...figure("error", withErrors.length < curves.length ? withErrors : []),
      name: "error",
      title: `${error.name} along the path,`,
      caption: `${error.unit}${tempered ? ", the same with and without temperature" : ""}. ${measured}`,
      size: "half",
    });
  }
  figures.push(...temperatureFigures(curves));
  const flat = flattestCurve(curves, NEEDS_ENLARGING);
  const curve = curves[flat];
  if (curve) {
    figures.push({
      ...figure("loss", [flat]),
      name: "loss-enlarged",
      title: `The same loss, ${curve.label} alone,`,
      caption: `on a scale of its own. ${measuredWords([curve])}`,
      size: "half",
    });
  }
  return figures;
}

/** Explanation of curves with temperature. */
const WITH_TEMPERATURE =
  " With temperature, the logits at each place are divided by the one number that makes the loss there lowest: what is left of a barrier is no matter of how sure the networks between are.";

/** Explains the intervals; returns an empty text if there are none. */
function intervalWords(curves: readonly BarrierCurve[]): string {
  const interval = curves.find(({ result }) => result.interval !== undefined)?.result.interval;
  if (interval === undefined) return "";
  const { level, resamples, seed } = interval;
  return ` A pale bar is the ${Math.round(100 * level)} % interval of the barrier over examples (${formatCounted(resamples, "bootstrap resample")}, seed ${seed}).`;
}

/** Says at how many places and on which examples the curves were measured, once where they agree. */
function measuredWords(curves: readonly BarrierCurve[]): string {
  const measured = curves.map(
    ({ result: { points, data, examples } }) =>
      `at ${formatCounted(points.length, "place")} on ${dataWords(data, examples)}`,
  );
  if (new Set(measured).size === 1) return `Measured ${measured[0]}.`;
  return `Measured ${measured.map((words, index) => `${words} (${curves[index]?.label})`).join(", and ")}.`;
}

/**
 * Finds the index of a curve so much flatter than the highest one that it needs a figure of its own; -1 if
 * none.
 */
function flattestCurve(curves: readonly BarrierCurve[], ratio: number): number {
  const heights = curves.map(({ result }) => result.barrier.loss.chord);
  const lowest = Math.min(...heights);
  return Math.max(...heights) > ratio * Math.max(lowest, 0) && curves.length > 1
    ? heights.indexOf(lowest)
    : -1;
}

const FACTS: readonly { readonly name: string; readonly of: (result: BarrierResult) => string }[] = [
  { name: "Network A", of: ({ a }) => a },
  { name: "Network B", of: ({ b }) => b },
  {
    name: "Data",
    of: ({ data, examples }) => `${data}, ${formatCounted(examples, "example")} at every place`,
  },
  { name: "Path", of: ({ path, points }) => `${path}, ${formatCounted(points.length, "place")}` },
  { name: "Statistics of activations", of: ({ statistics }) => statistics },
  { name: "Engine", of: ({ engine }) => engine },
];

/** States a fact once if all curves agree, else for each curve. */
function sharedFacts(curves: readonly BarrierCurve[]): PageFact[] {
  return FACTS.flatMap(({ name, of }) => {
    const values = curves.map(({ result }) => of(result));
    const [first] = values;
    if (first !== undefined && values.every((value) => value === first)) return [{ name, value: first }];
    return curves.map(({ label, result }) => ({ name: `${name} (${label})`, value: of(result) }));
  });
}
