import { at } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatCount,
  formatCounted,
  formatNumber,
  formatShort,
  type LineSeries,
  type Report,
  type Section,
  type Tile,
} from "@isthmus/findings";
import type { Front, FrontPoint, ParetoResult } from "../pareto/pareto-result.ts";

/** Fronts of a result with the words for them, in the order of figures and tables. */
function frontsOf({
  manifold,
  scalarised,
}: ParetoResult): { readonly label: string; readonly front: Front }[] {
  return [
    { label: "between one network a task", front: manifold },
    ...(scalarised ? [{ label: "one network a weighted sum", front: scalarised }] : []),
  ];
}

/** Describes how good networks for several tasks are at each task. */
export function describePareto(result: ParetoResult): Report {
  const { tasks, trainedOn, reference } = result;
  return {
    subject: "Pareto front",
    summary: summarize(result),
    tiles: frontsOf(result).map((named, style) => tileOf(named, style, reference)),
    sections: [frontSection(result)],
    facts: factsOf(result, [
      { name: "Trained on", value: trainedOn },
      { name: "Tasks", value: tasks.join(", ") },
      {
        name: "Reference",
        value: `losses of ${reference.map((value) => formatNumber(value)).join(", ")} nats, as of a guess`,
      },
    ]),
    data: result,
  };
}

function summarize(result: ParetoResult): string {
  const { manifold, scalarised, together, tasks, reference } = result;
  const sentence = `Networks between one network for each of ${formatCounted(tasks.length, "task")}, trained in one run of ${formatCounted(manifold.steps, "step")}, have ${volumeWords(manifold, reference)}`;
  if (!scalarised) return `${sentence}.`;
  const all = together === undefined ? "" : ` All together have ${formatNumber(together)}.`;
  return `${sentence}; ${formatCounted(scalarised.points.length, "network")} that were each trained on a weighted sum of the losses, in ${formatCounted(scalarised.steps, "step")} together, have ${volumeWords(scalarised, reference)}.${all}`;
}

/** States the hypervolume of a front, or the reason why it has none. */
function volumeWords(front: Front, reference: readonly number[]): string {
  if (countInside(front, reference) === 0)
    return "none, as none of them is better than a guess at every task";
  return `a hypervolume of ${formatNumber(front.hypervolume)}`;
}

function tileOf(
  { label, front }: ReturnType<typeof frontsOf>[number],
  style: number,
  reference: readonly number[],
): Tile {
  const more = [
    `hypervolume of ${formatCounted(front.points.length, "network")}, ${formatCount(countInside(front, reference))} better than a guess at every task`,
    `${formatCount(front.steps)} steps of training`,
  ];
  return { name: label, value: formatNumber(front.hypervolume), unit: "", more, style };
}

function frontSection(result: ParetoResult): Section {
  const { tasks, data, examples } = result;
  return {
    name: "front",
    title: "The front",
    figures: tasks.length === 2 ? [frontFigure(result, "losses"), frontFigure(result, "accuracies")] : [],
    tables: [
      {
        name: "front",
        title: "The front",
        caption: `Mean cross-entropy and accuracy of each task, on ${dataWords(data, examples)}.`,
        columns: [
          { title: "Networks", kind: "text" },
          ...tasks.map((task) => ({ title: `Share of ${task}`, kind: "number" as const })),
          ...tasks.map((task) => ({ title: `Loss of ${task}`, kind: "loss" as const })),
          ...tasks.map((task) => ({ title: `Accuracy of ${task}`, kind: "share" as const })),
        ],
        rows: frontsOf(result).flatMap(({ label, front }) =>
          front.points.map(({ shares, losses, accuracies }) => ({
            cells: [label, ...shares, ...losses, ...accuracies],
          })),
        ),
      },
    ],
  };
}

const TITLES = { losses: "Loss", accuracies: "Accuracy" } as const;

function frontFigure(result: ParetoResult, measure: keyof typeof TITLES): Figure {
  const { tasks, data, examples } = result;
  const [first = "", second = ""] = tasks;
  const percent = measure === "accuracies";
  const unit = percent ? "%" : "nats";
  const series = frontsOf(result).map(
    ({ label, front }): LineSeries => ({
      label,
      points: front.points.map((point) => placeOf(point, measure)),
    }),
  );
  const words = frontsOf(result).map(
    ({ label, front }) =>
      `${label}: ${front.points.map((point) => point[measure].map((value) => formatNumber(value)).join(" and ")).join(", ")}`,
  );
  return {
    name: `front-${measure}`,
    title: `${TITLES[measure]} of both tasks:`,
    caption: `one mark a network, from shares of ${formatShort(0)} to ${formatShort(1)} of the first task; ${percent ? "up and right" : "down and left"} is better. Measured on ${dataWords(data, examples)}.`,
    words: `Lines of the ${TITLES[measure].toLowerCase()} of ${second} over the one of ${first}. ${words.join("; ")}.`,
    table: "front",
    size: "half",
    plot: {
      kind: "lines",
      series,
      x: { label: `${TITLES[measure]} of ${first} (${unit})`, percent },
      y: { label: `${TITLES[measure]} of ${second} (${unit})`, percent },
    },
  };
}

const placeOf = (point: FrontPoint, measure: keyof typeof TITLES) => ({
  x: at(point[measure], 0, "task"),
  y: at(point[measure], 1, "task"),
});

/**
 * Counts the networks of a front that are better than the reference at every task: only these add to the
 * hypervolume.
 */
function countInside({ points }: Front, reference: readonly number[]): number {
  return points.filter(({ losses }) => losses.every((loss, task) => loss < at(reference, task, "task")))
    .length;
}
