import {
  factsOf,
  formatShort,
  lossWords,
  type Report,
  type Section,
  sectionOfTable,
} from "@isthmus/findings";
import { describePaths } from "../path/describe-paths.ts";
import type { CurveResult } from "./curve-result.ts";

/** Ratio of the worst losses from which it is stated in words. */
const WORTH_TELLING = 1.5;

/**
 * Says what a curve shows, beside the straight line.
 * @throws UsageError if one of them has fewer than two points
 */
export function describeCurve(result: CurveResult): Report {
  const described = describePaths(
    { ...result, beside: [] },
    { label: shapeOf(result), origin: `the curve was trained with seed ${result.seed}`, tables: [] },
  );
  return {
    subject: "a curve between two networks",
    summary: summarize(result),
    tiles: described.tiles,
    sections: [...described.sections, ...trainingSection(result)],
    facts: factsOf(result, [
      {
        name: "Curve",
        value: `${shapeOf(result)} with ${result.bends} trained ${result.bends === 1 ? "bend" : "bends"}`,
      },
      {
        name: "Trained on",
        value: `${result.trainingData}, ${result.epochs.length} ${result.epochs.length === 1 ? "epoch" : "epochs"}`,
      },
    ]),
    data: result,
  };
}

const shapeOf = ({ curve }: CurveResult): string => (curve === "bezier" ? "Bezier curve" : "polygonal chain");

function summarize(result: CurveResult): string {
  const losses = lossWords(result);
  const [curve, line] = [result.path.loss, result.line.loss];
  const worst = `The worst loss on the ${shapeOf(result)} is ${losses.amount(curve.max)}, that on the straight line ${losses.amount(line.max)}`;
  const ratio = line.max / curve.max;
  const times = ratio >= WORTH_TELLING ? `: ${formatShort(ratio, 2)} times lower` : "";
  const longer = result.path.length / result.line.length;
  return `${worst}${times}. The curve is ${longer.toFixed(2)} times as long as the line.`;
}

/** Describes the training of the bends; returns no section if no epoch is recorded. */
function trainingSection(result: CurveResult): Section[] {
  const { epochs } = result;
  if (epochs.length === 0) return [];
  const { inUnit, hasErrors } = lossWords(result);
  return [
    sectionOfTable({
      name: "training",
      title: "Training of the curve",
      caption: `Mean loss, ${inUnit},${hasErrors ? " and accuracy" : ""} of each epoch's batches, at random places of the curve.`,
      columns: [
        { title: "Epoch", kind: "count" },
        { title: "Steps", kind: "count" },
        { title: "Loss", kind: "loss" },
        { title: "Accuracy", kind: "share" },
      ],
      rows: epochs.map(({ steps, loss, accuracy }, index) => ({
        cells: [index + 1, steps, loss, accuracy ?? null],
      })),
    }),
  ];
}
