import {
  dataWords,
  type Figure,
  formatCounted,
  formatMeasure,
  formatNumber,
  lossWords,
  type Section,
  type Table,
} from "@isthmus/findings";
import type { PruneMeasures, PruneRewinding } from "../prune-result.ts";

/** Examples and kind of loss of the measurement of a lottery ticket's rounds. */
type Measured = Pick<PruneMeasures, "data" | "examples" | "lossKind" | "lossUnit"> | undefined;

/**
 * Describes the rounds in which a lottery ticket was found; there are figures only if the rounds were
 * measured.
 */
export function roundsSection({ rounds }: PruneRewinding, measured: Measured): Section {
  return {
    name: "rounds",
    title: "Round by round",
    figures: measured === undefined ? [] : [lossFigure(rounds, measured), barrierFigure(rounds, measured)],
    tables: [roundsTable(rounds, measured)],
  };
}

/** Describes the training of rounds, and the epoch to whose weights they went back. */
export function rewindingWords({ method, rewind, rounds }: PruneRewinding): string {
  const by = method === "gradient" ? "by gradients" : "by evolution strategies";
  const to = rewind === 0 ? "the start" : `the weights after ${formatCounted(rewind, "epoch")}`;
  return `${formatCounted(rounds.length - 1, "round")}, each trained ${by} after going back to ${to}`;
}

function lossFigure(rounds: PruneRewinding["rounds"], measured: NonNullable<Measured>): Figure {
  return lineOf(rounds, {
    name: "round-losses",
    title: "Loss of each round:",
    caption: `after training, on ${dataWords(measured.data, measured.examples)}.`,
    label: lossWords(measured).axis("Loss"),
    value: ({ loss }) => loss,
  });
}

function barrierFigure(rounds: PruneRewinding["rounds"], measured: NonNullable<Measured>): Figure {
  return lineOf(rounds, {
    name: "round-barriers",
    title: "Barrier to the round before:",
    caption: `chord barrier of the loss on ${dataWords(measured.data, measured.examples)}; near zero, both lie in one basin.`,
    label: lossWords(measured).axis("Barrier"),
    value: ({ barrier }) => barrier,
  });
}

interface RoundLine extends Pick<Figure, "name" | "title" | "caption"> {
  readonly label: string;
  value(round: PruneRewinding["rounds"][number]): number | undefined;
}

function lineOf(rounds: PruneRewinding["rounds"], { label, value, ...figure }: RoundLine): Figure {
  const points = rounds.flatMap((round) => {
    const y = value(round);
    return y === undefined || !Number.isFinite(y) ? [] : [{ x: round.sparsity, y }];
  });
  return {
    ...figure,
    words: points.map(({ x, y }) => `at ${formatMeasure(x, "error")} pruned, ${formatNumber(y)}`).join("; "),
    table: "rounds",
    size: "half",
    plot: {
      kind: "lines",
      series: [{ label: "", joined: true, points }],
      x: { label: "Share pruned", percent: true },
      y: { label, fromZero: true },
    },
  };
}

function roundsTable(rounds: PruneRewinding["rounds"], measured: Measured): Table {
  const hasLosses = measured !== undefined;
  return {
    name: "rounds",
    title: "Rounds",
    caption: hasLosses
      ? `Loss${lossWords(measured).hasErrors ? " and error" : ""} after training, and the barrier to the round before, on ${dataWords(measured.data, measured.examples)}.`
      : "The first is the network before anything was pruned.",
    columns: [
      { title: "Round", kind: "count" },
      { title: "Pruned", kind: "share" },
      ...(hasLosses
        ? ([
            { title: "Loss", kind: "loss" },
            { title: "Error", kind: "share" },
            { title: "Barrier", kind: "loss" },
          ] as const)
        : []),
    ],
    rows: rounds.map(({ sparsity, loss, error, barrier }, round) => ({
      cells: [round, sparsity, ...(hasLosses ? [loss ?? null, error ?? null, barrier ?? null] : [])],
    })),
    fixed: true,
  };
}
