import { at, entry, sumOf, type Tensor, toFloat32 } from "@isthmus/core";
import { type DataSet, fitTemperature, type LabelledLogits } from "@isthmus/graph";
import { createMatrix, type Matrix, type MatrixProducts } from "@isthmus/linear-algebra";
import {
  measureSecondMoments,
  type SecondMoments,
  type VisitedNetwork,
  visitActivations,
} from "@isthmus/statistics";
import type { FitRoutersOptions } from "./fit-routers-options.ts";
import { solveRouter } from "./solve-router.ts";
import { splitExamples } from "./split-examples.ts";

/** The text of an expert, and the network through which it runs. */
export interface ExpertRun extends Omit<VisitedNetwork, "values"> {
  /** Examples of the expert's text. */
  readonly text: DataSet;
}

/** A router that was found from hidden states. */
export interface RegressedRouter {
  /** Weight `[experts, width]` of the regression, f64, whose scores are near 1 for the right expert and near 0 for others. */
  readonly weight: Matrix;
  /** Number by which the weight is to be multiplied, so that the softmax of scores fits held examples best. */
  readonly scale: number;
  /** Shares of the held tokens of each text whose largest score is that of its expert, by expert. */
  readonly accuracies: readonly number[];
}

/** Options of {@link regressRouters}: all are required, as callers have defaults. */
export type RegressRoutersOptions = Required<Omit<FitRoutersOptions, "through" | "onProgress">> & {
  /** Engine's products of matrices. */
  readonly products: MatrixProducts;
  /** Called with the share of the work that is done. */
  readonly onProgress: (done: number) => void;
};

/** Share of the work that the held examples take. */
const HELD_WORK = 0.125;

/** Largest scale, which is chosen if no held token is sent to a wrong expert, and the best would be infinite. */
const LARGEST_SCALE = 100;

/**
 * Finds routers by ridge regression from hidden states that networks compute on the texts of experts.
 * @param runs - for each expert its text, and the network through which it runs; networks have the same values
 * @param values - names of the hidden states, one for each router, `[tokens, width]`
 * @returns a router for each value, and the number of tokens that were fitted, by expert
 */
export async function regressRouters(
  runs: readonly ExpertRun[],
  values: readonly string[],
  options: RegressRoutersOptions,
): Promise<{ readonly routers: RegressedRouter[]; readonly tokens: number[] }> {
  const { products, ridge, held, onProgress, ...reading } = options;
  const parts = runs.map(({ text }) => splitExamples(text, held));
  const distinct = [...new Set(values)];
  const moments: (readonly SecondMoments[])[] = [];
  for (const [expert, { network, ...run }] of runs.entries()) {
    const { fitted } = at(parts, expert, "text");
    const measured = await measureSecondMoments(run, network, fitted, {
      ...{ ...reading, values: distinct },
      onProgress: ({ done }) => onProgress(((1 - HELD_WORK) * (expert + done)) / runs.length),
    });
    moments.push(measured);
  }
  const weights: Matrix[] = [];
  for (const value of values) {
    const place = distinct.indexOf(value);
    weights.push(
      await solveRouter(
        moments.map((all) => at(all, place, "value")),
        ridge,
        products,
      ),
    );
  }
  const scored = weights.map((): LabelledLogits[] => []);
  for (const [expert, { text: _, ...run }] of runs.entries()) {
    const { held: examples } = at(parts, expert, "text");
    const visiting = {
      ...reading,
      onProgress: ({ done }: { readonly done: number }) =>
        onProgress(1 - HELD_WORK + (HELD_WORK * (expert + done)) / runs.length),
    };
    await visitActivations(
      [{ ...run, values: distinct }],
      examples,
      visiting,
      async ([found = new Map()]) => {
        for (const [i, weight] of weights.entries()) {
          const logits = await scoreRows(entry(found, at(values, i), "value"), weight, products);
          const labels = new Int32Array(logits.length / weight.rows).fill(expert);
          at(scored, i).push({ logits, labels });
        }
      },
    );
  }
  const routers = weights.map((weight, i) => {
    const balanced = balance(at(scored, i), weight.rows);
    const scale = Math.min(LARGEST_SCALE, 1 / fitTemperature(balanced));
    return { weight, scale, accuracies: accuraciesOf(balanced, weight.rows) };
  });
  return { routers, tokens: moments.map((all) => at(all, 0, "value").count) };
}

/** Computes the scores of the experts for rows of hidden states, `[tokens, experts]`. */
async function scoreRows(
  { data, dtype }: Tensor,
  { rows: experts, columns: width, data: weight }: Matrix,
  products: MatrixProducts,
): Promise<Float32Array> {
  const states = createMatrix(data.length / width, width, toFloat32(data, dtype));
  const router = createMatrix(experts, width, Float32Array.from(weight));
  return Float32Array.from((await products.multiply(states, router, { transposeRight: true })).data);
}

/** Weighs rows so that each expert counts alike. */
function balance(batches: readonly LabelledLogits[], experts: number): LabelledLogits[] {
  const counts = countTokens(batches, experts);
  return batches.map(({ logits, labels }) => ({
    logits,
    labels,
    weights: Float64Array.from(labels, (label) => 1 / at(counts, label)),
  }));
}

function countTokens(batches: readonly LabelledLogits[], experts: number): number[] {
  return Array.from({ length: experts }, (_, expert) =>
    sumOf(batches.map(({ labels }) => (labels[0] === expert ? labels.length : 0))),
  );
}

/** Computes the share of the tokens of each expert whose largest score is that expert's. */
function accuraciesOf(batches: readonly LabelledLogits[], experts: number): number[] {
  const right = new Array<number>(experts).fill(0);
  for (const { logits, labels } of batches) {
    labels.forEach((label, row) => {
      const scores = logits.subarray(row * experts, (row + 1) * experts);
      if (scores.every((score) => score <= at(scores, label))) right[label] = at(right, label) + 1;
    });
  }
  return countTokens(batches, experts).map((count, expert) => at(right, expert) / count);
}
