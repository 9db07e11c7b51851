import { UsageError } from "@isthmus/core";
import { predictorsTable } from "@isthmus/ensemble";
import {
  dataWords,
  factsOf,
  formatCounted,
  formatNumber,
  formatShort,
  type LossWords,
  lossWords,
  type Report,
  type Section,
  sectionOfTable,
} from "@isthmus/findings";
import { PAIR_GROUPS, type PairGroup, type StarResult } from "./star-result.ts";

interface NamedGroup extends PairGroup {
  readonly label: string;
}

/**
 * Describes how well a star network is connected, and how good its predictions are.
 * @throws UsageError if no pair of any kind was measured
 */
export function describeStar(result: StarResult): Report {
  const groups = PAIR_GROUPS.map(({ key, label }) => ({ ...result.barriers[key], label })).filter(
    ({ pairs }) => pairs.length > 0,
  );
  const losses = lossWords(result);
  if (groups.length === 0) {
    throw new UsageError("Cannot draw a star as at least one pair of networks is needed: got 0");
  }
  return {
    subject: "star domain",
    summary: summarize(result),
    tiles: groups.map(({ label, mean, std, pairs }, style) => ({
      name: label,
      value: formatNumber(mean),
      unit: losses.unit,
      more:
        pairs.length === 1
          ? ["loss barrier of 1 pair"]
          : [
              `mean loss barrier of ${formatCounted(pairs.length, "pair")}`,
              `standard deviation ${formatNumber(std)}`,
            ],
      style,
    })),
    sections: [barrierSection(groups, result), ...predictorsSection(result), pairsSection(groups, losses)],
    facts: factsOf(result, [
      { name: "Anchors", value: namesOf(result.anchors) },
      { name: "Held out", value: namesOf(result.heldOut) },
      {
        name: "Pairs",
        value: `${formatCounted(result.points, "place")} on the line between them${result.aligned ? ", aligned first" : ", not aligned"}`,
      },
    ]),
    data: result,
  };
}

/** Returns the number of networks and their names. */
const namesOf = (names: readonly string[]): string =>
  names.length === 0 ? "none" : `${names.length}: ${names.join(", ")}`;

function summarize(result: StarResult): string {
  const { barriers, anchors } = result;
  const { regularRegular, starHeldOut, starAnchor } = barriers;
  // Without held-out networks, a star is described by its anchors only.
  const [{ mean, pairs }, others] =
    starHeldOut.pairs.length > 0
      ? [
          starHeldOut,
          starHeldOut.pairs.length === 1 ? "a network it has not seen" : "networks it has not seen",
        ]
      : [starAnchor, "its anchors"];
  const finding = `A star network of ${formatCounted(anchors.length, "anchor")} meets a ${pairs.length === 1 ? "" : "mean "}loss barrier of ${lossWords(result).amount(mean)} on the way to ${others}`;
  if (regularRegular.pairs.length === 0) return `${finding}.`;
  const ratio = mean / regularRegular.mean;
  const share = regularRegular.mean > 0 ? ` (ratio ${formatShort(ratio)})` : "";
  return `${finding}; between two regular networks it is ${formatNumber(regularRegular.mean)}${share}.`;
}

function barrierSection(groups: readonly NamedGroup[], result: StarResult): Report["sections"][number] {
  const { data, examples, points, aligned } = result;
  const unit = lossWords(result);
  const words = groups.map(
    ({ label, mean, pairs }) =>
      `${label}: ${formatCounted(pairs.length, "pair")} from ${formatNumber(Math.min(...pairs.map(({ loss }) => loss)))} to ${formatNumber(Math.max(...pairs.map(({ loss }) => loss)))}, mean ${formatNumber(mean)}`,
  );
  return {
    name: "barriers",
    title: "Barriers of three sorts of pairs",
    figures: [
      {
        name: "barriers",
        title: "Loss barrier of every pair,",
        caption: `above the chord, ${unit.inUnit}. Each dot is a pair of networks${aligned ? ", aligned first" : ""}; an upright line is the mean of several. Measured at ${formatCounted(points, "place")} of the line between them on ${dataWords(data, examples)}.`,
        words: `Dots of loss barriers, ${unit.inUnit}. ${words.join("; ")}.`,
        table: "pairs",
        size: "hero",
        plot: {
          kind: "strips",
          strips: groups.map(({ label, mean, pairs }) => ({
            label,
            mean,
            values: pairs.map(({ a, b, loss }) => ({ name: `${a} to ${b}`, value: loss })),
          })),
          axis: { label: unit.axis("Loss barrier of a pair") },
        },
      },
    ],
    tables: [
      {
        name: "groups",
        title: "Barriers by sort of pair",
        caption: `Chord barriers; loss ${unit.inUnits("percentage points")}.`,
        columns: [
          { title: "Pairs", kind: "text" },
          { title: "Number", kind: "count" },
          { title: "Mean loss barrier", kind: "loss" },
          { title: "Standard deviation", kind: "loss" },
          { title: "Lowest", kind: "loss" },
          { title: "Highest", kind: "loss" },
          { title: "Mean error barrier", kind: "points" },
        ],
        rows: groups.map(({ label, pairs, mean, std }) => {
          const losses = pairs.map(({ loss }) => loss);
          const error = pairs.reduce((sum, pair) => sum + pair.error, 0) / pairs.length;
          // One pair has no deviation, even if a result of an earlier version has a number.
          const deviation = pairs.length > 1 ? std : null;
          return {
            cells: [label, pairs.length, mean, deviation, Math.min(...losses), Math.max(...losses), error],
          };
        }),
      },
    ],
  };
}

function pairsSection(groups: readonly NamedGroup[], losses: LossWords): Report["sections"][number] {
  return sectionOfTable({
    name: "pairs",
    title: "Every pair",
    caption: `Chord barriers between two networks; loss ${losses.inUnits("percentage points")}.`,
    columns: [
      { title: "Pairs", kind: "text" },
      { title: "From", kind: "text" },
      { title: "To", kind: "text" },
      { title: "Loss barrier", kind: "loss" },
      { title: "Error barrier", kind: "points" },
    ],
    rows: groups.flatMap(({ label, pairs }) =>
      pairs.map(({ a, b, loss, error }) => ({ cells: [label, a, b, loss, error] })),
    ),
  });
}

/** Describes the quality of averaged predictions; returns no section if the result has no predictions. */
function predictorsSection({ predictions }: StarResult): Section[] {
  if (!predictions) return [];
  const { predictors, outOfDistribution, ...measured } = predictions;
  const others = outOfDistribution === undefined ? [] : [outOfDistribution];
  const judged = predictors.map(({ aurocOutOfDistribution: area, ...predictor }) => {
    return { ...predictor, aurocOthers: area === undefined ? [] : [area] };
  });
  return [
    {
      name: "predictors",
      title: "Averaged predictions",
      figures: [],
      tables: [predictorsTable(judged, { ...measured, others })],
    },
  ];
}
