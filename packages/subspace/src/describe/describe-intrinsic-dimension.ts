import { at, UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatCount,
  formatCounted,
  formatNumber,
  formatShare,
  formatShort,
  type LinePoint,
  type LineSeries,
  type Report,
  type Table,
  type Tile,
} from "@isthmus/findings";
import type { IntrinsicDimensionResult } from "../intrinsic-dimension-result.ts";
import { fitRising } from "../search/isotonic.ts";
import { meansByDimension } from "./means-by-dimension.ts";
import { formatAccuracy, startAccuracy, wordsOfUntrained } from "./words-of-untrained.ts";

const whole = (dimension: number): string => formatCount(Math.round(dimension));
/** Indices of curves, which decide the colours of the elements of the figure. */
const STYLES = { mean: 0, line: 1, interval: 2, seeds: 3, fit: 4 } as const;

/** Margin beyond the accuracies, as a share of their range, and its least size. */
const ROOM = 0.1;
const LEAST_ROOM = 0.01;

/**
 * Describes the number of dimensions that a network needs.
 * @throws UsageError if nothing was trained in a subspace
 */
export function describeIntrinsicDimension(result: IntrinsicDimensionResult): Report {
  if (result.points.length === 0) {
    throw new UsageError(
      `Cannot draw the intrinsic dimension of "${result.network}" as it needs at least one training in a subspace: there is none`,
    );
  }
  return {
    subject: "intrinsic dimension",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [
      {
        name: "accuracy",
        title: "Accuracy and dimension",
        figures: [accuracyFigure(result)],
        tables: [meansTable(result)],
      },
      { name: "trainings", title: "Every training", figures: [], tables: [trainingsTable(result)] },
    ],
    facts: [{ name: "Network", value: result.network }, ...factsOf(result, trainingFacts(result))],
    notes: notesOf(result),
    shownTables: ["means", "trainings"],
    data: result,
  };
}

const shareOf = ({ threshold }: IntrinsicDimensionResult): string => formatShare(threshold);
const largestOf = ({ points }: IntrinsicDimensionResult): number =>
  Math.max(...points.map(({ dimension }) => dimension));

function summarize(result: IntrinsicDimensionResult): string {
  const { dimension, parameters, line } = result;
  const [reason] = wordsOfUntrained(result);
  if (reason !== undefined) return reason;
  const aim = `${shareOf(result)} of the full accuracy, ${formatAccuracy(line)}`;
  if (dimension === null) {
    return `No measured dimension, up to ${formatCount(largestOf(result))} of ${formatCount(parameters)}, reaches ${aim}.`;
  }
  const times = parameters / dimension;
  const fewer = times >= 2 ? `, ${formatShort(times, 2)} times fewer than it has` : "";
  return `${formatCount(dimension)} numbers${fewer}, in a random subspace, reach ${aim}.`;
}

function intervalWords({ interval, seeds }: IntrinsicDimensionResult): string {
  return interval === undefined
    ? formatCounted(seeds.length, "seed")
    : `95 % interval ${whole(interval.low)} to ${whole(interval.high)}, ${formatCounted(seeds.length, "seed")}`;
}

function tilesOf(result: IntrinsicDimensionResult): Tile[] {
  const { dimension, crossing, threshold, line, parameters, baseline, untrained } = result;
  const crossed = crossing === null ? [] : [`crossed at ${whole(crossing)}`, intervalWords(result)];
  return [
    {
      name: `d_${formatShort(100 * threshold)}`,
      value: dimension === null ? `> ${formatCount(largestOf(result))}` : formatCount(dimension),
      unit: "dimensions",
      more: crossed,
      style: STYLES.interval,
    },
    {
      name: "accuracy to reach",
      value: formatAccuracy(line),
      unit: "",
      more: [
        `${shareOf(result)} of ${formatAccuracy(line / threshold)}`,
        formatCounted(baseline.length, "full training"),
        ...(untrained === undefined ? [] : [`${formatAccuracy(startAccuracy(untrained))} untrained`]),
      ],
      style: STYLES.line,
    },
    {
      name: "parameters",
      value: formatCount(parameters),
      unit: "",
      more: [`${result.projection} projection`],
    },
  ];
}

function accuracyFigure(result: IntrinsicDimensionResult): Figure {
  const means = meansByDimension(result);
  const [first, last] = [means[0], means.at(-1)];
  const interval = result.interval
    ? " The bar on the line is the 95 % interval of where seeds cross it."
    : "";
  const rising =
    risingFit(result) === undefined
      ? ""
      : " As the means fall somewhere, the crossing is where the rising numbers nearest to them meet the line.";
  return {
    name: "accuracy",
    title: "Accuracy of trainings in random subspaces,",
    caption: `by the dimension of the subspace, on a logarithmic axis; the line is ${shareOf(result)} of the accuracy of full trainings.${rising}${interval} Measured on ${dataWords(result.evaluationData, result.evaluationExamples)}.`,
    words: `A line of accuracies from ${first ? `${formatAccuracy(first.accuracy)} in ${formatCount(first.dimension)}` : "none"} to ${last ? `${formatAccuracy(last.accuracy)} in ${formatCount(last.dimension)}` : "none"} dimensions. ${summarize(result)}`,
    table: "means",
    size: "hero",
    plot: {
      kind: "lines",
      series: seriesOf(result),
      x: { label: "Dimension", scale: "log" },
      y: { label: "Accuracy (%)", percent: true, domain: accuracyDomain(result) },
    },
  };
}

/**
 * Finds the ends of the axis of accuracies from the measured points and the line. The accuracy of guessing is
 * left out: it is far lower, and would make differences look small.
 */
function accuracyDomain({ points, line }: IntrinsicDimensionResult): [number, number] {
  const accuracies = [line, ...points.map(({ accuracy }) => accuracy)];
  const [low, high] = [Math.min(...accuracies), Math.max(...accuracies)];
  const room = Math.max(LEAST_ROOM, ROOM * (high - low));
  return [Math.max(0, low - room), Math.min(1, high + room)];
}

function seriesOf(result: IntrinsicDimensionResult): LineSeries[] {
  const { points, line, interval, crossing, seeds } = result;
  const dimensions = points.map(({ dimension }) => dimension);
  const bounds = interval ? [interval.low, interval.high] : [];
  const ends = [Math.min(...dimensions, ...bounds), Math.max(...dimensions, ...bounds)];
  const onLine = interval ? [interval.low, crossing ?? interval.low, interval.high] : [crossing];
  const crossed = onLine.flatMap((x) => (x === null ? [] : [{ x, y: line }]));
  const fit = risingFit(result);
  return [
    {
      label: "mean over seeds",
      style: STYLES.mean,
      points: meansByDimension(result).map(({ dimension, accuracy }) => ({ x: dimension, y: accuracy })),
    },
    {
      label: `${shareOf(result)} of the full accuracy`,
      style: STYLES.line,
      points: ends.map((x) => ({ x, y: line })),
    },
    ...(fit === undefined
      ? []
      : [{ label: "rising numbers nearest to them", style: STYLES.fit, points: fit }]),
    ...(crossed.length === 0
      ? []
      : [
          {
            label: `crossing${interval ? " and its interval" : ""}`,
            style: STYLES.interval,
            points: crossed,
          },
        ]),
    ...(seeds.length < 2
      ? []
      : [
          {
            label: "single seeds",
            style: STYLES.seeds,
            joined: false,
            points: points.map(({ dimension, accuracy }) => ({ x: dimension, y: accuracy })),
          },
        ]),
  ];
}

/**
 * Returns the rising fit from which the crossing is computed; undefined if the mean accuracies rise already.
 */
function risingFit(result: IntrinsicDimensionResult): LinePoint[] | undefined {
  const means = meansByDimension(result);
  const fitted = fitRising(means.map(({ accuracy }) => accuracy));
  if (means.every(({ accuracy }, i) => Math.abs(accuracy - at(fitted, i, "fit")) < 1e-12)) return undefined;
  return means.map(({ dimension }, i) => ({ x: dimension, y: at(fitted, i, "fit") }));
}

function meansTable(result: IntrinsicDimensionResult): Table {
  return {
    name: "means",
    title: "Accuracy by dimension",
    caption: `Means over ${formatCounted(result.seeds.length, "seed")}, in percent; the line is at ${formatAccuracy(result.line)}.`,
    columns: [
      { title: "Dimension", kind: "count" },
      { title: "Accuracy", kind: "share" },
      { title: "Lowest", kind: "share" },
      { title: "Highest", kind: "share" },
      { title: "Reaches the line", kind: "text" },
    ],
    rows: meansByDimension(result).map(({ dimension, accuracy, lowest, highest }) => ({
      cells: [dimension, accuracy, lowest, highest, accuracy >= result.line ? "yes" : "no"],
      strong: dimension === result.dimension,
    })),
  };
}

function trainingsTable({ baseline, points, parameters, untrained }: IntrinsicDimensionResult): Table {
  const start = untrained?.start.map((network) => ({ ...network, dimension: 0, how: "none" })) ?? [];
  const full = baseline.map((training) => ({ ...training, dimension: parameters, how: "full" }));
  const inside = points.map((training) => ({ ...training, how: "subspace" }));
  return {
    name: "trainings",
    title: "Every training",
    caption: "Accuracy in percent and loss in nats on the evaluation data, after the last epoch.",
    columns: [
      { title: "Training", kind: "text" },
      { title: "Dimension", kind: "count" },
      { title: "Seed", kind: "whole" },
      { title: "Accuracy", kind: "share" },
      { title: "Loss", kind: "loss" },
    ],
    rows: [...start, ...full, ...inside].map(({ how, dimension, seed, accuracy, loss }) => ({
      cells: [how, dimension, seed, accuracy, loss],
    })),
  };
}

function trainingFacts(result: IntrinsicDimensionResult) {
  const { projection, scope, epochs, batch, optimizer, learningRate, baselineLearningRate } = result;
  const reach = scope === "whole" ? "over all parameters" : "for each layer";
  return [
    { name: "Evaluated on", value: dataWords(result.evaluationData, result.evaluationExamples) },
    { name: "Random matrix", value: `${projection}, ${reach}` },
    { name: "Training", value: `${formatCounted(epochs, "epoch")} by ${optimizer}, batches of ${batch}` },
    {
      name: "Learning rate",
      value: `${formatNumber(learningRate)} in subspaces, ${formatNumber(baselineLearningRate)} in full`,
    },
    { name: "Seeds", value: result.seeds.join(", ") },
  ];
}

function notesOf(result: IntrinsicDimensionResult): string[] {
  const { crossings, crossing, line } = result;
  const missing = crossings.filter(({ dimension }) => dimension === null).map(({ seed }) => seed);
  const notes = wordsOfUntrained(result);
  if (missing.length > 0) {
    notes.push(
      `Of seed ${missing.join(", ")}, no measured dimension reaches the line, so that there is no interval.`,
    );
  }
  const falls = meansByDimension(result).filter(
    ({ dimension, accuracy }) => crossing !== null && dimension >= crossing !== accuracy >= line,
  );
  if (falls.length > 0) {
    notes.push(
      `Accuracies do not rise with every dimension: ${falls.map(({ dimension }) => formatCount(dimension)).join(", ")} lies on the other side of the line. The crossing is of the rising numbers nearest to them.`,
    );
  }
  return notes;
}
