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
  type Tile,
} from "@isthmus/findings";
import type { EnsembleResult } from "../ensemble-result.ts";
import type { JudgedPredictor } from "../predictions/create-judge.ts";
import { qualityFigure, reliabilityFigure } from "./ensemble-figures.ts";
import { othersWords, predictorsTable, qualityCells, qualityColumns } from "./predictors-table.ts";

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
    {
      name: "greedy",
      title: "The greedy choice",
      figures: [],
      tables: [
        {
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
        },
      ],
    },
  ];
}

function networksSection({ networks, data, examples, others }: EnsembleResult): Section {
  const names = namesOfFiles(networks.map(({ network }) => network));
  return {
    name: "networks",
    title: "Every network",
    figures: [],
    tables: [
      {
        name: "networks",
        title: "Every network",
        caption: `Each alone, on ${dataWords(data, examples)}.${othersWords(others)}`,
        columns: [{ title: "Network", kind: "text" }, ...qualityColumns(others)],
        rows: networks.map((quality, i) => ({
          cells: [at(names, i, "name"), ...qualityCells(quality, others)],
        })),
      },
    ],
  };
}
