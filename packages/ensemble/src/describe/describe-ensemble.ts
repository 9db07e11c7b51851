import { at } from "@isthmus/core";
import {
  dataWords,
  factsOf,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatShort,
  namesOfFiles,
  type Report,
  type Section,
  sectionOfTable,
  type Table,
  type TableColumn,
  type Tile,
} from "@isthmus/findings";
import type { EnsembleResult, NamedData } from "../ensemble-result.ts";
import type { JudgedPredictor } from "../predictions/create-judge.ts";
import { qualityFigure, reliabilityFigure } from "./ensemble-figures.ts";

/** Predictor in the form that tables show. */
type ShownPredictor = Omit<JudgedPredictor, "reliability">;

/** Describes the quality of the predictions of several networks, alone and together. */
export function describeEnsemble(result: EnsembleResult): Report {
  const { networks, greedy } = result;
  return {
    subject: "ensemble",
    summary: summarize(result),
    tiles: result.predictors.map(tileOf),
    sections: [predictorsSection(result), ...greedySection(result), networksSection(result)],
    facts: factsOf(result, [
      { name: "Networks", value: `${networks.length}: ${networks.map(({ network }) => network).join(", ")}` },
      ...(greedy
        ? [
            {
              name: "Greedy choice",
              value: `at most ${greedy.members}, on ${greedy.data}, ${formatCounted(greedy.examples, "example")}, diversity ${formatShort(greedy.diversity)}`,
            },
          ]
        : []),
      ...result.others.map(({ data, examples }) => ({
        name: "Other data",
        value: `${data}, ${formatCounted(examples, "example")}`,
      })),
    ]),
    notes: [
      "Weights are averaged as the files have them: the mean of networks of different seeds says nothing unless they were aligned first.",
      ...(result.recalibrated
        ? ["Batch norms of the mean of the weights are measured anew, as their statistics do not average."]
        : []),
    ],
    shownTables: ["predictors", "greedy"],
    data: result,
  };
}

function summarize({ predictors, networks }: EnsembleResult): string {
  const single = at(predictors, 0, "predictor");
  const best = predictors.reduce((lowest, one) => (one.nll < lowest.nll ? one : lowest), single);
  const count = formatCounted(networks.length, "network");
  if (best === single) {
    return `Of ${count}, single ones have the lowest mean negative log likelihood, ${formatNumber(single.nll)} nats.`;
  }
  return `Of ${count}, the ${best.name} has the lowest negative log likelihood, ${formatNumber(best.nll)} nats, where single networks have ${formatNumber(single.nll)} on average; it classifies ${formatMeasure(best.accuracy, "error")} correctly, they ${formatMeasure(single.accuracy, "error")}.`;
}

function tileOf({ name, members, nll, accuracy, ece }: JudgedPredictor, style: number): Tile {
  const more = [
    `accuracy ${formatMeasure(accuracy, "error")}, ECE ${formatNumber(ece)}`,
    formatCounted(members, "network"),
  ];
  return { name, value: formatNumber(nll), unit: "nats", more, style };
}

function predictorsSection(result: EnsembleResult): Section {
  return {
    name: "predictors",
    title: "Alone and together",
    figures: [
      qualityFigure(result, "nll"),
      qualityFigure(result, "ece"),
      qualityFigure(result, "brier"),
      ...reliabilityFigure(result),
    ],
    tables: [predictorsTable(result.predictors, result)],
  };
}

function greedySection({ greedy }: EnsembleResult): Section[] {
  if (!greedy) return [];
  const names = namesOfFiles(greedy.chosen.map(({ network }) => network));
  return [
    sectionOfTable({
      name: "greedy",
      title: "The greedy choice",
      caption: `Networks in the order in which they were chosen on ${dataWords(greedy.data, greedy.examples)}: each has the least sum of its NLL and of its likeness to the ones before, log sum exp(-${formatShort(greedy.diversity)} / ${greedy.members} d) over their squared distances d, among the networks that do not raise the NLL of the ensemble.`,
      columns: [
        { title: "Network", kind: "text" },
        { title: "Its NLL", kind: "loss" },
        { title: "Likeness", kind: "number" },
        { title: "NLL of the ensemble", kind: "loss" },
      ],
      rows: greedy.chosen.map(({ nll, likeness, ensembleNll }, i) => ({
        cells: [at(names, i, "name"), nll, likeness, ensembleNll],
      })),
      fixed: true,
    }),
  ];
}

function networksSection({ networks, data, examples, others }: EnsembleResult): Section {
  const names = namesOfFiles(networks.map(({ network }) => network));
  return sectionOfTable({
    name: "networks",
    title: "Every network",
    caption: `Each alone, on ${dataWords(data, examples)}.${othersWords(others)}`,
    columns: [{ title: "Network", kind: "text" }, ...qualityColumns(others)],
    rows: networks.map((quality, i) => ({
      cells: [at(names, i, "name"), ...qualityCells(quality, others)],
    })),
  });
}

/** Makes the table of the quality of predictions. */
export function predictorsTable(
  predictors: readonly ShownPredictor[],
  { data, examples, others }: NamedData & { readonly others: readonly NamedData[] },
): Table {
  return {
    name: "predictors",
    title: "Averaged predictions",
    caption: `On ${dataWords(data, examples)}. Expected calibration error (ECE) in 15 bins of equal width; Brier score in 0 to 2; area under the curve (AUROC) of telling misclassified examples by their largest probability.${othersWords(others)}`,
    columns: [
      { title: "Predictor", kind: "text" },
      { title: "Networks", kind: "count" },
      ...qualityColumns(others),
    ],
    rows: predictors.map((predictor) => ({
      cells: [predictor.name, predictor.members, ...qualityCells(predictor, others)],
    })),
  };
}

/** States the data to which the columns of areas belong. */
function othersWords(others: readonly NamedData[]): string {
  const words = others.map(({ data, examples }) => dataWords(data, examples));
  if (words.length === 0) return "";
  return words.length === 1
    ? ` The last column tells them from ${words[0]}.`
    : ` The last columns tell them from ${words.join("; ")}.`;
}

/** Returns the columns of the measures of quality. */
function qualityColumns(others: readonly NamedData[]): TableColumn[] {
  return [
    { title: "Accuracy", kind: "share" },
    { title: "NLL", kind: "loss", unit: "nats" },
    { title: "ECE", kind: "number" },
    { title: "Brier", kind: "number" },
    { title: "AUROC, misclassified", kind: "number" },
    ...others.map(({ data }): TableColumn => {
      return { title: others.length === 1 ? "AUROC, other data" : `AUROC, ${data}`, kind: "number" };
    }),
  ];
}

/** Returns the cells of {@link qualityColumns}. */
function qualityCells(
  quality: Omit<ShownPredictor, "name" | "members">,
  others: readonly NamedData[],
): (number | null)[] {
  const { accuracy, nll, ece, brier, aurocMisclassification, aurocOthers } = quality;
  return [
    ...[accuracy, nll, ece, brier, aurocMisclassification],
    ...others.map((_, i) => aurocOthers[i] ?? null),
  ];
}
