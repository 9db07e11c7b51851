import {
  dataWords,
  factsOf,
  formatNumber,
  formatPlace,
  lossWords,
  type Report,
  type Table,
} from "@isthmus/findings";
import { describePaths, worstLossBetween } from "../path/describe-paths.ts";
import type { WalkedPathResult } from "./walked-path-result.ts";

/**
 * Describes a path on which layers moved one after the other, beside the straight line and other paths.
 * @throws UsageError if one of them has fewer than two points
 */
export function describeWalkedPath(result: WalkedPathResult): Report {
  return {
    subject: "a path on which one layer after the other walks from A to B",
    summary: summarize(result),
    ...describePaths(result, {
      label: "layer by layer",
      origin: `layers were trained by seed ${result.seed}`,
      tables: [segmentsTable(result)],
    }),
    facts: factsOf(result, [
      { name: "Moves of a layer", value: String(result.moves) },
      { name: "Steps before each move", value: `${result.trainSteps}, of ${result.batch} examples` },
      { name: "Trained by", value: `${result.optimizer} at ${result.learningRate}` },
      { name: "Trained on", value: result.trainingData },
    ]),
    notes: [
      "Layers walk in the order in which data flow. One that has arrived is the layer of B, and is held; the layers behind it are trained between its moves. Every path is measured right after each move, where it is worst.",
    ],
    data: result,
  };
}

function summarize(result: WalkedPathResult): string {
  const { path, line, segments, steps, moves, data, examples } = result;
  const losses = lossWords(result);
  const worst = `Its worst loss is ${losses.amount(path.loss.max)} on ${dataWords(data, examples)}, on the straight line it is ${losses.amount(line.loss.max)}.`;
  const ways = `${segments.length} layers walked in ${moves} moves each, with ${steps} steps of training in all.`;
  const length = `The path is ${formatNumber(path.length / line.length)} times as long as the line.`;
  return `${worst} ${ways} ${length}`;
}

function segmentsTable(result: WalkedPathResult): Table {
  const { segments, path } = result;
  return {
    name: "layers",
    title: "While each layer walks",
    caption: `Worst measured loss while a layer walks, ${lossWords(result).inUnit}, its ends included.`,
    columns: [
      { title: "From t", kind: "place" },
      { title: "Layer", kind: "text" },
      { title: "Worst loss", kind: "loss" },
    ],
    rows: segments.map(({ layer, from, to }) => ({
      cells: [Number(formatPlace(from)), layer, worstLossBetween(path, from, to)],
    })),
  };
}
