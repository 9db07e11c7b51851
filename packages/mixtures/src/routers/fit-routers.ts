import {
  at,
  type Checkpoint,
  createTensor,
  entry,
  OutOfRangeError,
  resolveOptions,
  type Tensor,
  toFloat32,
  toFloat64,
  UsageError,
  withTensors,
} from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fitTemperature,
  type Graph,
  type LabelledLogits,
} from "@isthmus/graph";
import { createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import { measureSecondMoments, type SecondMoments, visitActivations } from "@isthmus/statistics";
import { findRouters, type Router } from "./find-routers.ts";
import { forceExpert } from "./force-expert.ts";
import { solveRouter } from "./solve-router.ts";
import { splitExamples } from "./split-examples.ts";

/** Options of {@link fitRouters}. */
export interface FitRoutersOptions {
  /** Share of the mean of the diagonal of `X^T X` that is added to the diagonal. @defaultValue 0.001 */
  readonly ridge?: number;
  /**
   * Network whose hidden states are measured. `experts`: the mixture with all tokens of an expert's text sent
   * to that expert in every layer, once for all layers. `mixture`: the mixture with the routers found so far,
   * one layer after the other, which takes half as many passes as there are layers. @defaultValue "experts"
   */
  readonly through?: "experts" | "mixture";
  /**
   * Share of the examples of each text, the last ones, on which accuracy is measured and the scale of the
   * scores is chosen. @defaultValue 0.125
   */
  readonly held?: number;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the work, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the share of the work that is done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link fitRouters}. */
export const FIT_ROUTERS_DEFAULTS: Required<FitRoutersOptions> = {
  ridge: 0.001,
  through: "experts",
  held: 0.125,
  batchSize: 16,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/** A router that was fitted, and how it did on the held examples. */
export interface FittedRouter {
  /** Name of its layer. */
  readonly layer: string;
  /** Name of its weight. */
  readonly weight: string;
  /** Shares of the held tokens of each expert's text whose largest score is that expert's, by expert. */
  readonly accuracies: readonly number[];
  /** Mean of these shares. */
  readonly accuracy: number;
  /** Number by which the scores of the regression were multiplied. */
  readonly scale: number;
}

/** Result of {@link fitRouters}. */
export interface FitRoutersResult {
  /** Mixture with the new routers, in the element types of the mixture. */
  readonly mixture: Checkpoint;
  /** Routers in the order of layers. */
  readonly routers: readonly FittedRouter[];
  /** Number of tokens of each expert's text that were fitted, by expert. */
  readonly tokens: readonly number[];
}

/**
 * Finds the routers of a mixture of experts in closed form, by ridge regression from hidden states to the
 * expert whose text they are from (DUME). Nothing else of the mixture changes.
 *
 * The scores of a regression lie in about `[0, 1]`, so that a softmax of them is nearly uniform. They are
 * multiplied by the number that minimises the cross-entropy of the expert on the held examples, which is a
 * convex problem in one unknown. DUME divides by a temperature that users choose.
 *
 * Source: Fanì and Ersoy, Training-free dynamic upcycling of expert language models, 2026; {@link solveRouter}
 * lists how we differ.
 * @param mixture - network with a tensor for every weight of the graph
 * @param texts - examples of each expert, in the order of experts
 * @throws UsageError if there are not as many texts as experts
 * @throws InputError if the data do not fit the graph, or an activation is not finite
 * @throws UnsupportedError if the graph has no routers
 * @throws OutOfRangeError if an option is out of range, or a text has less than two examples
 */
export async function fitRouters(
  architecture: Architecture,
  mixture: Checkpoint,
  texts: readonly DataSet[],
  options: FitRoutersOptions = {},
): Promise<FitRoutersResult> {
  const resolved = resolveOptions("fit routers", FIT_ROUTERS_DEFAULTS, options);
  assertOptions(resolved);
  const routers = findRouters(architecture.graph);
  assertTexts(texts, routers[0].experts);
  const parts = texts.map((text) => splitExamples(text, resolved.held));
  const groups: readonly (readonly Router[])[] =
    resolved.through === "experts" ? [routers] : routers.map((router) => [router]);
  const products = createProducts(architecture.engine, resolved.threads);
  const fitted: FittedRouter[] = [];
  let [current, tokens] = [mixture, texts.map(() => 0)];
  try {
    for (const [step, group] of groups.entries()) {
      const graphOf = (expert: number): Graph =>
        resolved.through === "experts"
          ? forceExpert(architecture.graph, routers, expert)
          : architecture.graph;
      const job = { engine: architecture.engine, graphOf, group, parts };
      const onProgress = (done: number) => resolved.onProgress?.({ done: (step + done) / groups.length });
      const { weights, counts } = await solveGroup(job, current, { ...resolved, onProgress }, products);
      tokens = counts;
      const scaled = await scaleGroup(job, withTensors(current, weights), weights, {
        ...resolved,
        onProgress,
      });
      fitted.push(...scaled.fitted);
      current = withTensors(current, scaled.weights);
    }
  } finally {
    await products.release();
  }
  return { mixture: current, routers: fitted, tokens };
}

/** Options of one group of routers, with its own progress. */
type GroupOptions = Omit<Required<FitRoutersOptions>, "onProgress"> & {
  readonly onProgress: (done: number) => void;
};

/** Routers that are fitted at once, and what they are fitted on. */
interface GroupJob extends Pick<Architecture, "engine"> {
  /** Graph through which the text of an expert runs. */
  readonly graphOf: (expert: number) => Graph;
  readonly group: readonly Router[];
  /** Examples of each expert that are fitted, and that are held. */
  readonly parts: readonly { readonly fitted: DataSet; readonly held: DataSet }[];
}

/** Share of the work of a group that the held examples take. */
const HELD_WORK = 0.125;

/** Measures hidden states of all texts, and solves for the routers of a group. */
async function solveGroup(
  { engine, graphOf, group, parts }: GroupJob,
  network: Checkpoint,
  { batchSize, threads, signal, onProgress, ridge }: GroupOptions,
  products: MatrixProducts,
): Promise<{ readonly weights: Map<string, Tensor>; readonly counts: number[] }> {
  const values = [...new Set(group.map(({ input }) => input))];
  const moments: (readonly SecondMoments[])[] = [];
  for (const [expert, { fitted }] of parts.entries()) {
    const measured = await measureSecondMoments({ graph: graphOf(expert), engine }, network, fitted, {
      ...{ values, batchSize, threads, signal },
      onProgress: ({ done }) => onProgress(((1 - HELD_WORK) * (expert + done)) / parts.length),
    });
    moments.push(measured);
  }
  const weights = new Map<string, Tensor>();
  for (const { input, weight, experts, width } of group) {
    const place = values.indexOf(input);
    const ofValue = moments.map((all) => at(all, place, "value"));
    const { data } = await solveRouter(ofValue, ridge, products);
    weights.set(weight, createTensor("f64", [experts, width], Float64Array.from(data)));
  }
  return { weights, counts: moments.map((all) => at(all, 0, "value").count) };
}

/** Scores the held examples by new routers, measures accuracies and scales the routers. */
async function scaleGroup(
  { engine, graphOf, group, parts }: GroupJob,
  network: Checkpoint,
  weights: ReadonlyMap<string, Tensor>,
  { batchSize, threads, signal, onProgress }: GroupOptions,
): Promise<{ readonly fitted: FittedRouter[]; readonly weights: Map<string, Tensor> }> {
  const logits = new Map(group.map(({ weight }): [string, LabelledLogits[]] => [weight, []]));
  for (const [expert, { held }] of parts.entries()) {
    const values = group.map(({ scores }) => scores);
    const run = { graph: graphOf(expert), engine, network, values };
    const reading = {
      ...{ batchSize, threads, signal },
      onProgress: ({ done }: { readonly done: number }) =>
        onProgress(1 - HELD_WORK + (HELD_WORK * (expert + done)) / parts.length),
    };
    await visitActivations([run], held, reading, async ([found]) => {
      for (const { scores, weight, experts } of group) {
        const { data, dtype } = entry(found ?? new Map<string, Tensor>(), scores, "scores");
        const labels = new Int32Array(data.length / experts).fill(expert);
        entry(logits, weight, "router").push({ logits: toFloat32(data, dtype), labels });
      }
    });
  }
  const scaled = new Map<string, Tensor>();
  const fitted = group.map(({ layer, weight, experts, width }): FittedRouter => {
    const scored = balance(entry(logits, weight, "router"), experts);
    const scale = Math.min(LARGEST_SCALE, 1 / fitTemperature(scored));
    const data = toFloat64(entry(weights, weight, "weight").data, "f64").map((value) => value * scale);
    scaled.set(weight, createTensor("f64", [experts, width], data));
    const accuracies = accuraciesOf(scored, experts);
    const accuracy = accuracies.reduce((sum, value) => sum + value / experts, 0);
    return { layer, weight, accuracies, accuracy, scale };
  });
  return { fitted, weights: scaled };
}

/** Largest scale, which is chosen if no held token is sent to a wrong expert, and the best would be infinite. */
const LARGEST_SCALE = 100;

/** Weighs rows so that each expert counts alike. */
function balance(batches: readonly LabelledLogits[], experts: number): LabelledLogits[] {
  const counts = new Array<number>(experts).fill(0);
  for (const { labels } of batches) for (const label of labels) counts[label] = at(counts, label) + 1;
  return batches.map(({ logits, labels }) => ({
    logits,
    labels,
    weights: Float64Array.from(labels, (label) => 1 / at(counts, label)),
  }));
}

/** Computes the share of the tokens of each expert whose largest score is that expert's. */
function accuraciesOf(batches: readonly LabelledLogits[], experts: number): number[] {
  const right = new Array<number>(experts).fill(0);
  const all = new Array<number>(experts).fill(0);
  for (const { logits, labels } of batches) {
    labels.forEach((label, row) => {
      const scores = logits.subarray(row * experts, (row + 1) * experts);
      all[label] = at(all, label) + 1;
      if (scores.every((score) => score <= at(scores, label))) right[label] = at(right, label) + 1;
    });
  }
  return all.map((count, expert) => at(right, expert) / count);
}

function assertTexts(texts: readonly DataSet[], experts: number): void {
  if (texts.length === experts) return;
  throw new UsageError(
    `Cannot fit routers as there must be one text for each of the ${experts} experts, in their order: got ${texts.length}`,
  );
}

function assertOptions({ ridge, held, through }: Required<FitRoutersOptions>): void {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new OutOfRangeError(`Cannot fit routers as "ridge" must be above 0: it is ${ridge}`);
  }
  if (!(held > 0 && held < 1)) {
    throw new OutOfRangeError(`Cannot fit routers as "held" must be between 0 and 1: it is ${held}`);
  }
  if (through !== "experts" && through !== "mixture") {
    throw new OutOfRangeError(
      `Cannot fit routers as "through" must be experts or mixture: it is ${String(through)}`,
    );
  }
}
