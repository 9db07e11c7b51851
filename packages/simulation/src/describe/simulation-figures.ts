import { at, sumOf } from "@isthmus/core";
import { alikeFormat, type Figure, type LineSeries, narrowFormat, sequentialScale } from "@isthmus/findings";
import type { SimulatedRun, SimulationResult } from "../result/simulation-result.ts";
import {
  estimateMean,
  estimateShare,
  LEAST_FOR_INTERVAL,
  type RunSummary,
  scaleOf,
} from "../result/summarize-runs.ts";
import { type ScoreWords, scoreWords } from "./score-words.ts";

/** Number of lines that one figure has room for. */
const MOST_LINES = 12;
/** Number of bytes in a megabyte. */
const MEGABYTE = 1e6;

/** A horizontal axis, with the position of a round on it. */
interface Place {
  readonly name: string;
  readonly label: string;
  readonly of: (round: SimulatedRun["rounds"][number]) => number;
}

/** Horizontal axes of the figures with lines. */
const PLACES: Readonly<Record<"rounds" | "bytes", Place>> = {
  rounds: { name: "rounds", label: "Round", of: ({ round }) => round },
  bytes: {
    name: "bytes",
    label: "Sent in both directions (MB)",
    of: ({ bytesDown, bytesUp }) => (bytesDown + bytesUp) / MEGABYTE,
  },
};

/**
 * Draws scores against rounds, or against bytes, for every partition, of runs without an attack if there are
 * any.
 */
export function scoreLines(result: SimulationResult, over: "rounds" | "bytes"): readonly Figure[] {
  const { name, label, of } = PLACES[over];
  const score = scoreWords(result);
  const attack = at(Object.keys(result.attacks), 0, "attack");
  return Object.keys(result.partitions).flatMap((partition, index) => {
    const strategies = Object.keys(result.strategies).slice(0, MOST_LINES);
    const series = strategies.map((strategy): LineSeries => {
      const runs = result.runs.filter(
        (run) => run.partition === partition && run.strategy === strategy && run.attack === attack,
      );
      return { label: strategy, points: pointsOf(runs, of, score) };
    });
    if (series.every(({ points }) => points.length === 0)) return [];
    const rest = Object.keys(result.strategies).length - strategies.length;
    const ends = series.map(
      ({ label: strategy, points }) => `${strategy} ${score.format(points.at(-1)?.y ?? Number.NaN)}`,
    );
    return {
      name: `${name}-${index + 1}`,
      title: `${score.title} against ${over}, ${partition}.`,
      caption: `${intervalWords(result)}${attack === "none" ? "" : `, under attack ${attack}`}${rest > 0 ? `; ${rest} more strategies are in the table` : ""}.`,
      words: `Lines of ${score.name} against ${over} for ${partition}; at the end: ${ends.join(", ")}.`,
      table: "rounds",
      size: "hero",
      plot: {
        kind: "lines",
        series,
        x: { label, whole: over === "rounds" },
        y: { label: score.axis, ...(score.hasErrors && { percent: true }) },
      },
    };
  });
}

/** Averages the runs of one line over seeds, round by round. */
function pointsOf(
  runs: readonly SimulatedRun[],
  of: (round: SimulatedRun["rounds"][number]) => number,
  { hasErrors }: ScoreWords,
): LineSeries["points"] {
  const estimate = hasErrors ? estimateShare : estimateMean;
  const rounds = new Set(runs.flatMap((run) => run.rounds.map(({ round }) => round)));
  return [...rounds]
    .sort((a, b) => a - b)
    .flatMap((number) => {
      const measured = runs.flatMap((run) => run.rounds.filter(({ round }) => round === number));
      const evaluated = measured.filter(({ loss }) => loss !== undefined);
      if (evaluated.length === 0) return [];
      const { mean, low, high } = estimate(
        evaluated.map(({ accuracy, loss }) => (hasErrors ? accuracy : loss) ?? Number.NaN),
      );
      const x = estimateMean(evaluated.map(of)).mean;
      return [{ x, y: mean, ...(Number.isFinite(low) && { low, high }) }];
    });
}

/** Returns the ends of an interval; means over one or two seeds have none. */
function intervalOf({ low, high }: { readonly low: number; readonly high: number }) {
  return Number.isFinite(low) ? { low, high } : {};
}

/** Returns words on the intervals that are drawn beside means over seeds. */
function intervalWords({ seeds }: SimulationResult): string {
  if (seeds.length === 1) return "One seed, so there are no intervals";
  return seeds.length < LEAST_FOR_INTERVAL
    ? `Means over ${seeds.length} seeds, too few for intervals`
    : "Means over seeds with intervals of 95 %";
}

/**
 * Draws the final score of every strategy under every attack as a table of colours, for each partition.
 */
export function attackHeat(result: SimulationResult, summaries: readonly RunSummary[]): readonly Figure[] {
  const attacks = Object.keys(result.attacks);
  const strategies = Object.keys(result.strategies);
  if (attacks.length < 2) return [];
  const score = scoreWords(result);
  // The largest losses are the worst.
  const worstOf = score.hasErrors ? Math.min : Math.max;
  return Object.keys(result.partitions).map((partition, index): Figure => {
    // Values are in percent, so that cells and the legend of the colours show the same numbers.
    const values = strategies.map((strategy) =>
      attacks.map((attack) => {
        const summary = summaries.find(
          (one) => one.partition === partition && one.strategy === strategy && one.attack === attack,
        );
        return summary === undefined ? null : summary.score.mean * (score.hasErrors ? 100 : 1);
      }),
    );
    const measured = values.flat().filter((value): value is number => value !== null);
    const worst = strategies.map((strategy, i) => {
      const scores = at(values, i, "strategy").flatMap((value) => value ?? []);
      return `${strategy} ${score.format(worstOf(...scores) / (score.hasErrors ? 100 : 1))}`;
    });
    return {
      name: `attacks-${index + 1}`,
      title: `${score.title} under attack, ${partition}.`,
      caption: `The ${score.name} after the last round, means over seeds.`,
      words: `A table of colours: strategies by attacks. The worst ${score.hasErrors ? "accuracies" : "losses"} are ${worst.join(", ")}.`,
      table: score.name,
      size: "hero",
      plot: {
        kind: "heat",
        rows: strategies,
        columns: attacks,
        values,
        label: score.axis,
        columnLabel: "Attack",
        scale: sequentialScale(measured),
        format: score.hasErrors ? { notation: "fixed", decimals: 1 } : alikeFormat(measured),
        coarse: score.hasErrors ? { notation: "fixed", decimals: 0 } : narrowFormat(measured),
      },
    };
  });
}

/**
 * Draws how evenly scores are spread over clients, for each partition, of runs without an attack if there are
 * any.
 */
export function fairnessBars(result: SimulationResult, summaries: readonly RunSummary[]): readonly Figure[] {
  const attack = Object.keys(result.attacks)[0];
  const score = scoreWords(result);
  return Object.keys(result.partitions).map((partition, index): Figure => {
    const shown = summaries.filter((one) => one.partition === partition && one.attack === attack);
    const bars = shown.flatMap(({ strategy, local, worst }) =>
      [local, worst].map(({ mean, low, high }, series) => ({
        row: strategy,
        series,
        value: mean,
        ...intervalOf({ low, high }),
      })),
    );
    const words = shown.map(
      ({ strategy, local, worst }) =>
        `${strategy} ${score.format(local.mean)} and ${score.format(worst.mean)}`,
    );
    return {
      name: `fairness-${index + 1}`,
      title: `${score.title} of the clients on examples like their own, ${partition}.`,
      caption: `The mean over honest clients, and the mean of the worst tenth of them. ${intervalWords(result)}.`,
      words: `Bars of the mean over clients and of the worst tenth: ${words.join("; ")}.`,
      table: score.name,
      size: "hero",
      plot: {
        kind: "bars",
        rows: shown.map(({ strategy }) => strategy),
        series: ["all clients", "worst tenth"],
        bars,
        axis: { label: score.axis, ...(score.hasErrors && { percent: true }) },
      },
    };
  });
}

/** Draws the examples of the clients by class, for each partition and the first seed. */
export function partitionStacks({ divisions, seeds }: SimulationResult): readonly Figure[] {
  return divisions
    .filter(({ seed }) => seed === seeds[0])
    .map(({ partition, seed, clients }, index): Figure => {
      const classes = Math.max(...clients.map(({ labels }) => labels.length));
      const sizes = clients.map(({ labels }) => sumOf(labels));
      return {
        name: `partition-${index + 1}`,
        title: `Examples of the clients, ${partition}.`,
        caption: `One bar for each client${classes === 1 ? "" : ", its parts the classes of its examples"}; seed ${seed}.`,
        words: `Stacked bars: ${clients.length} clients have ${Math.min(...sizes)} to ${Math.max(...sizes)} examples${classes === 1 ? "" : ` of ${classes} classes`}.`,
        table: "partitions",
        size: "hero",
        plot: {
          kind: "stacks",
          rows: clients.map(({ client }) => client),
          parts:
            classes === 1 ? ["examples"] : Array.from({ length: classes }, (_, label) => `class ${label}`),
          values: clients.map(({ labels }) => labels),
          axis: { label: "Examples" },
        },
      };
    });
}

/** Draws barriers between clients by layer, before and after alignment, for each strategy and partition. */
export function barrierBars(result: SimulationResult): readonly Figure[] {
  const { runs } = result;
  const { losses } = scaleOf(result);
  const measured = runs.filter(({ barriers }) => barriers.length > 0);
  const groups = new Map(
    measured.map(({ strategy, partition }) => [
      JSON.stringify([strategy, partition]),
      { strategy, partition },
    ]),
  );
  return [...groups.values()].map(({ strategy, partition }, index): Figure => {
    const all = measured
      .filter((run) => run.strategy === strategy && run.partition === partition)
      .flatMap(({ barriers }) =>
        barriers.flatMap(({ round, aligned, whole, layers }) =>
          [{ name: "all layers", barrier: whole }, ...layers].map(({ name, barrier }) => ({
            row: `round ${round}, ${name}`,
            series: Number(aligned),
            barrier,
          })),
        ),
      );
    const rows = [...new Set(all.map(({ row }) => row))];
    const bars = rows.flatMap((row) =>
      [0, 1].map((series) => {
        const values = all.filter((one) => one.row === row && one.series === series);
        return { row, series, value: estimateMean(values.map(({ barrier }) => barrier)).mean };
      }),
    );
    return {
      name: `barriers-${index + 1}`,
      title: `Barriers between clients, ${strategy}, ${partition}.`,
      caption:
        "What averaging all layers, or one alone, adds to the loss of two clients of one round, before and after the second was permuted to match the first; below 0 where it lowers the loss. Means over pairs and seeds.",
      words: `Bars of loss barriers by round and layer, ${losses.inUnit}, as trained and aligned: ${bars.map(({ row, series, value }) => `${row}${series === 1 ? " aligned" : ""} ${value.toPrecision(3)}`).join("; ")}.`,
      table: "barriers",
      size: "hero",
      plot: {
        kind: "bars",
        rows,
        series: ["as trained", "aligned"],
        bars,
        axis: { label: losses.axis("Barrier") },
      },
    };
  });
}
