import { at, entry, sumOf } from "@isthmus/core";
import {
  type DataSet,
  fitTemperature,
  type LabelledLogits,
  limitExamples,
  softmaxInto,
} from "@isthmus/graph";
import { createMatrix, type Matrix, type MatrixProducts } from "@isthmus/linear-algebra";
import { measureSecondMoments, type SecondMoments, type VisitedNetwork } from "@isthmus/statistics";
import type { FitRoutersOptions } from "./fit-routers-options.ts";
import { readRows } from "./read-rows.ts";
import { refineRouter } from "./refine-router.ts";
import { ridgeMatrix, solveRouter } from "./solve-router.ts";
import { splitExamples } from "./split-examples.ts";

/** The text of an expert, and the network through which it runs. */
export interface ExpertRun extends Omit<VisitedNetwork, "values"> {
  /** Examples of the expert's text. */
  readonly text: DataSet;
}

/** A router that was found from hidden states. */
export interface RegressedRouter {
  /**
   * Weight `[experts, width]`, f64: of the regression, whose scores are near 1 for the right expert and near
   * 0 for others, or refined.
   */
  readonly weight: Matrix;
  /**
   * Number by which the weight is to be multiplied, so that the softmax of scores fits held examples best.
   */
  readonly scale: number;
  /** Mean cross-entropy of the expert on held tokens, in nats, all experts alike. */
  readonly loss: number;
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

/** Share of the work after the moments are measured. */
const LATER = 0.4;

/**
 * Largest scale, which is chosen if no held token is sent to a wrong expert, and the best would be infinite.
 */
const LARGEST_SCALE = 100;

/**
 * Finds routers by ridge regression from hidden states that networks compute on the texts of experts.
 * @param runs - for each expert its text, and the network through which it runs; networks have the same
 *   values
 * @param values - names of the hidden states, one for each router, `[tokens, width]`
 * @returns a router for each value, and the number of tokens that were fitted, by expert
 */
export async function regressRouters(
  runs: readonly ExpertRun[],
  values: readonly string[],
  options: RegressRoutersOptions,
): Promise<{ readonly routers: RegressedRouter[]; readonly tokens: number[] }> {
  const { products, ridge, held, refine, onProgress, ...reading } = options;
  const parts = runs.map(({ text }) => splitExamples(text, held));
  const distinct = [...new Set(values)];
  const moments: (readonly SecondMoments[])[] = [];
  for (const [expert, { network, ...run }] of runs.entries()) {
    const measured = await measureSecondMoments(run, network, at(parts, expert, "text").fitted, {
      ...reading,
      values: distinct,
      onProgress: ({ done }) => onProgress(((1 - LATER) * (expert + done)) / runs.length),
    });
    moments.push(measured);
  }
  const visiting = {
    values: distinct,
    reading,
    onProgress: (done: number) => onProgress(1 - LATER + (LATER * done) / 2),
  };
  const fitted = parts.map((part) => part.fitted);
  const rows =
    refine === 0
      ? undefined
      : await readTexts(
          runs,
          fitted.map((text) => limitText(text, moments)),
          visiting,
        );
  const heldRows = await readTexts(
    runs,
    parts.map((part) => limitText(part.held, moments)),
    { ...visiting, onProgress: (done) => onProgress(1 - LATER / 2 + (LATER * done) / 2) },
  );
  const routers: RegressedRouter[] = [];
  for (const value of values) {
    const ofValue = moments.map((all) => at(all, distinct.indexOf(value), "value"));
    const weight = await solveRouter(ofValue, ridge, products);
    const first = await judge(weight, entry(heldRows, value, "value"), products);
    routers.push(first);
    if (rows === undefined) continue;
    const start = createMatrix(
      weight.rows,
      weight.columns,
      Float64Array.from(weight.data, (x) => x * first.scale),
    );
    const refined = await refineRouter(
      start,
      { states: entry(rows, value, "value"), gram: ridgeMatrix(ofValue, ridge) },
      { steps: refine, products },
    );
    const second = await judge(refined, entry(heldRows, value, "value"), products);
    if (second.loss < first.loss) routers[routers.length - 1] = second;
  }
  return { routers, tokens: moments.map((all) => at(all, 0, "value").count) };
}

/** Most numbers of hidden states that are held at once for the refinement of routers. */
const MOST_NUMBERS = 2 ** 26;

/**
 * Limits a text to the first examples whose hidden states fit into memory with the states of all other texts.
 */
function limitText(text: DataSet, moments: readonly (readonly SecondMoments[])[]): DataSet {
  const numbers = sumOf(moments.flat().map(({ count, mean }) => count * mean.length));
  const share = Math.min(1, MOST_NUMBERS / numbers);
  return limitExamples("fit routers", text, Math.max(1, Math.floor(share * text.size)));
}

/** Way in which hidden states are read. */
interface RowsReading {
  readonly values: readonly string[];
  readonly reading: Pick<RegressRoutersOptions, "batchSize" | "threads" | "signal">;
  readonly onProgress: (done: number) => void;
}

/** Reads the hidden states of the text of each expert, by value. */
async function readTexts(
  runs: readonly ExpertRun[],
  texts: readonly DataSet[],
  { values, reading, onProgress }: RowsReading,
): Promise<ReadonlyMap<string, readonly Matrix[]>> {
  const read: ReadonlyMap<string, Matrix>[] = [];
  for (const [expert, { text: _, ...run }] of runs.entries()) {
    const options = {
      ...reading,
      onProgress: ({ done }: { readonly done: number }) => onProgress((expert + done) / runs.length),
    };
    read.push(await readRows({ ...run, values }, at(texts, expert, "text"), options));
  }
  return new Map(values.map((value) => [value, read.map((rows) => entry(rows, value, "value"))]));
}

/** Scores held hidden states by a router: the best scale, the cross-entropy with it, and accuracies. */
async function judge(
  weight: Matrix,
  states: readonly Matrix[],
  products: MatrixProducts,
): Promise<RegressedRouter> {
  const { rows: experts, columns: width } = weight;
  const router = createMatrix(experts, width, Float32Array.from(weight.data));
  const scored: (LabelledLogits & { readonly weights: Float64Array })[] = [];
  for (const [expert, rows] of states.entries()) {
    const { data } = await products.multiply(rows, router, { transposeRight: true });
    scored.push({
      logits: Float32Array.from(data),
      labels: new Int32Array(rows.rows).fill(expert),
      // Each expert counts alike.
      weights: new Float64Array(rows.rows).fill(1 / rows.rows),
    });
  }
  const scale = Math.min(LARGEST_SCALE, 1 / fitTemperature(scored));
  const accuracies = scored.map(({ logits, labels }) => accuracyOf(logits, labels));
  return {
    weight,
    scale,
    accuracies,
    loss: sumOf(scored.map((text) => crossEntropy(text, scale))) / experts,
  };
}

/** Computes the share of rows whose largest score is that of their label. */
function accuracyOf(logits: Float32Array, labels: Int32Array): number {
  const experts = logits.length / labels.length;
  let right = 0;
  for (const [row, label] of labels.entries()) {
    const scores = logits.subarray(row * experts, (row + 1) * experts);
    if (scores.every((score) => score <= at(scores, label))) right++;
  }
  return right / labels.length;
}

/** Computes the mean cross-entropy of labels under the softmax of scaled scores. */
function crossEntropy({ logits, labels }: LabelledLogits, scale: number): number {
  const experts = logits.length / labels.length;
  const scaled = logits.map((score) => score * scale);
  const probabilities = softmaxInto(scaled, experts, new Float64Array(logits.length));
  return (
    sumOf(Array.from(labels, (label, row) => -Math.log(at(probabilities, row * experts + label)))) /
    labels.length
  );
}
