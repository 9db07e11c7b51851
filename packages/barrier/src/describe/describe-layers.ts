import { meanOf, UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatBarrier,
  formatCount,
  formatNumber,
  type LossWords,
  lossWords,
  type Report,
  type Section,
  type Table,
  type Tile,
} from "@isthmus/findings";
import type { DirectionRobustness, LayersResult } from "../layers-result.ts";
import { ALL_GROUPS, layersFigures } from "./layers-figures.ts";
import {
  cumulativeTable,
  groupsTable,
  layerBarriersTable,
  layerDefinitionsTable,
  layerPointsTable,
} from "./layers-tables.ts";
import { predictionSection } from "./predictions.ts";

/** Number of single groups of highest barrier that the top of the page names. */
const NAMED = 2;

/**
 * Says what barriers by layer show.
 * @throws UsageError if there is no group
 */
export function describeLayers(result: LayersResult): Report {
  if (result.layers.length === 0) {
    throw new UsageError("Cannot draw barriers by layer as at least one group is needed: got 0");
  }
  const figures = layersFigures(result);
  return {
    subject: "barriers by layer",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [
      {
        name: "layers",
        title: "Each group by itself",
        figures: figures.single,
        tables: [layerBarriersTable(result), layerDefinitionsTable(result)],
      },
      ...(result.cumulative.length === 0
        ? []
        : [
            {
              name: "cumulative",
              title: "Growing sets of groups",
              figures: figures.cumulative,
              tables: [cumulativeTable(result)],
            },
          ]),
      ...predictionSection(result),
      ...robustnessSection(result),
      {
        name: "along",
        title: "Along the way of each group",
        figures: figures.along,
        tables: [layerPointsTable(result)],
      },
      { name: "groups", title: "The groups", figures: [], tables: [groupsTable(result)] },
    ],
    facts: factsOf(result, [{ name: "Groups", value: formatCount(result.groups.length) }]),
    shownTables: ["layers", "predictions", "robustness", "groups"],
    data: result,
  };
}

/** Sorts the groups by their barrier, the highest first. */
function ranked({ layers }: LayersResult): LayersResult["layers"] {
  return layers.toSorted((one, other) => other.barrier.loss - one.barrier.loss);
}

function summarize(result: LayersResult): string {
  const losses = lossWords(result);
  const whole = losses.amount(result.whole.wholeEndpoints.loss);
  const [highest] = ranked(result);
  if (!highest) return "";
  const sum = result.layers.reduce((total, { barrier }) => total + barrier.loss, 0);
  return `Averaging all groups costs ${whole}. Of ${result.layers.length} groups by themselves ${highest.group} costs most, ${losses.amount(highest.barrier.loss)}; one by one they add up to ${formatNumber(sum)}.`;
}

function tilesOf(result: LayersResult): Tile[] {
  const { unit, hasErrors } = lossWords(result);
  const { loss, error } = result.whole.wholeEndpoints;
  const all = { name: ALL_GROUPS, barrier: { loss, error }, more: ["averaged at once"], style: 1 };
  const highest = ranked(result).slice(0, NAMED);
  const single = highest.map(({ group, barrier }) => ({
    name: group,
    barrier,
    more: ["averaged by itself"],
    style: 0,
  }));
  return [all, ...single].map(({ name, barrier, more, style }) => ({
    name,
    value: formatNumber(barrier.loss),
    unit,
    more: [...more, ...(hasErrors ? [`error barrier ${formatBarrier(barrier.error, "error")}`] : [])],
    style,
  }));
}

/**
 * Makes the bars of a group: the rise of the loss on the path to B, and the mean rise in random directions
 * with their range as the interval.
 */
function barsOf({ group, random, toOther }: DirectionRobustness) {
  return [
    { row: group, series: 0, value: toOther.end },
    ...(random.length === 0
      ? []
      : [
          {
            row: group,
            series: 1,
            value: meanOf(random),
            low: Math.min(...random),
            high: Math.max(...random),
          },
        ]),
  ];
}

/**
 * Describes rises in random directions beside the rise on the path to the other network; returns no section
 * if the result has none.
 */
function robustnessSection(result: LayersResult): Section[] {
  const { robustness } = result;
  if (!robustness || robustness.length === 0) return [];
  return [
    {
      name: "robustness",
      title: "Random directions of the same length",
      figures: [robustnessFigure(robustness, result)],
      tables: [robustnessTable(robustness, lossWords(result))],
    },
  ];
}

function robustnessFigure(robustness: readonly DirectionRobustness[], result: LayersResult): Figure {
  const { data, examples, seed } = result;
  const words = robustness.map(
    ({ group, random, toOther }) =>
      `${group} ${formatNumber(toOther.end)} towards B, ${formatNumber(meanOf(random))} at random`,
  );
  const losses = lossWords(result);
  const count = Math.max(...robustness.map(({ random }) => random.length));
  return {
    name: "robustness",
    title: "Rise of the loss over A at the end of the way:",
    caption: `to B, and ${count > 1 ? `on average over ${count} random directions of the same length, with their range as a thin line` : "in one random direction of the same length"} (seed ${seed}). Measured on ${dataWords(data, examples)}.`,
    words: `Bars of the rise of the loss, ${losses.inUnit}. ${words.join("; ")}.`,
    table: "robustness",
    size: "hero",
    plot: {
      kind: "bars",
      rows: robustness.map(({ group }) => group),
      series: ["towards B", "random directions"],
      bars: robustness.flatMap(barsOf),
      axis: { label: losses.axis("Rise of the loss over A") },
    },
  };
}

function robustnessTable(robustness: readonly DirectionRobustness[], losses: LossWords): Table {
  return {
    name: "robustness",
    title: "Random directions and the way to B",
    caption: `Rise of the loss over network A, ${losses.inUnit}, half-way and at the end; of random directions the mean and the range.`,
    columns: [
      { title: "Group", kind: "text" },
      { title: "Half-way", kind: "loss", group: "towards B", style: 0 },
      { title: "End", kind: "loss", group: "towards B", style: 0 },
      ...(["Half-way, mean", "End, mean", "End, lowest", "End, highest"] as const).map((title) => ({
        title,
        kind: "loss" as const,
        group: "random directions",
        style: 1,
      })),
    ],
    rows: robustness.map(({ group, random, randomHalfway, toOther }) => ({
      cells: [
        group,
        toOther.halfway,
        toOther.end,
        ...(random.length === 0
          ? [null, null, null, null]
          : [meanOf(randomHalfway), meanOf(random), Math.min(...random), Math.max(...random)]),
      ],
    })),
  };
}
