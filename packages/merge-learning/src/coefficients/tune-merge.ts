import { at, type Checkpoint, resolveFields, sizeOf } from "@isthmus/core";
import { fingerprintGraph, withoutDevice } from "@isthmus/graph";
import { mergeByPlan } from "@isthmus/merging";
import { identifyRecipe, openRecipe, type Recipe } from "@isthmus/recipe";
import { canonicalJson } from "@isthmus/tasks";
import { describeData, type RunDescription } from "@isthmus/training";
import { affineTensors } from "./affine-methods.ts";
import type { BoundTask, TaskScore, TunedTask } from "./bind-task.ts";
import { type CoefficientGroup, groupCoefficients } from "./coefficient-groups.ts";
import { learnByGradients } from "./learn-by-gradients.ts";
import { limitInPlace } from "./learn-weights.ts";
import { assertTasks, openTuning } from "./open-tuning.ts";
import { listWeighted, roundWeights, withStart, withWeights } from "./recipe-weights.ts";
import { solveOutputs } from "./solve-outputs.ts";
import {
  TUNE_MERGE_FIELDS,
  TUNE_MERGE_RUN_DEFAULTS,
  type TuneMergeOptions,
  type TuneMergeRules,
} from "./tune-merge-options.ts";
import type { TuneMergeResult } from "./tune-merge-result.ts";

/**
 * Learns the weights of a merge recipe from data: one for each network, or for each network and layer or
 * tensor.
 *
 * A merge is a base plus directions times weights, so that the gradient by a weight is the scalar product of
 * the network's gradient with the direction, for any graph. Without labels the entropy of the predictions is
 * minimised (AdaMerging), or their divergence from the predictions of each data set's expert; with labels,
 * the loss. The objective `output-space` needs no gradients: it finds the weights at which the outputs of
 * linear layers are nearest to the experts' outputs, by a quadratic programme that is solved exactly.
 *
 * Objectives of several data sets are added up. Random numbers depend on `seed` only, and a tuning that was
 * stopped and resumes gives the same bytes. Weights are rounded to 6 digits before the result is measured.
 *
 * @see Yang et al., AdaMerging: adaptive model merging for multi-task learning (2023)
 * @param recipe - recipe whose `models` are merged; weights of 0.3 are the start if it has none
 * @param tasks - data sets, each with the graph that is run on it, at least one
 * @throws UnsupportedError if the result of the method is no sum of weights times directions
 * @throws UsageError if options contradict each other, or the recipe or the tasks do not fit
 * @throws InputError, MismatchError if networks or data do not fit, or have numbers that are not finite
 * @throws DivergenceError if the objective is no longer finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openTunedTasks, tuneMerge } from "@isthmus/merge-learning";
 * import { parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const names = { data: ["mnist:train@50"], graph: ["examples/mnist-mlp/graph.onnx"] };
 * const { tasks, close } = await openTunedTasks(recipe, names, createOnnxRuntimeEngine());
 * const { groups } = await tuneMerge(recipe, tasks, { objective: "loss", by: "model", steps: 3 });
 * await close();
 * assert.equal(groups[0]?.weights.length, 2); // one weight for each network
 * ```
 */
export async function tuneMerge(
  recipe: Recipe,
  tasks: readonly TunedTask[],
  options: TuneMergeOptions = {},
): Promise<TuneMergeResult> {
  const resolved = resolveFields<TuneMergeRules, typeof TUNE_MERGE_RUN_DEFAULTS>(
    "learn the weights of a merge",
    TUNE_MERGE_FIELDS,
    options,
    TUNE_MERGE_RUN_DEFAULTS,
  );
  const { objective, by, start, bounds, sum, seed, signal, align, methodFiles, onProgress } = resolved;
  const weighted = listWeighted(recipe);
  assertTasks(tasks, weighted, objective);
  const prepared = withStart(recipe, start);
  const opening = { seed, align, methodFiles };
  const opened = await openRecipe(prepared, opening);
  try {
    onProgress?.({ phase: "Reading", done: 0, step: 0, loss: Number.NaN, means: [] });
    const tuning = await openTuning(opened, { by, weighted, tasks, signal });
    const { groups, bound } = tuning;
    const report = (at: number) => (done: number) =>
      onProgress?.({ phase: "Measuring", done: (at + done) / 2, step: 0, loss: Number.NaN, means: [] });
    const weights = Float64Array.from(groups.flatMap((group) => group.start));
    limitInPlace(groups, weights, { bounds, sum });
    const before = await measure(bound, mergeByPlan(opened.plan), { follow: report(0), signal });
    const run = resolved.statePath === undefined ? {} : await describeTuning(prepared, tasks, resolved);
    const learned =
      objective === "output-space"
        ? await solveOutputs(tuning, tasks, weights, resolved)
        : await learnByGradients(tuning, tasks, { ...resolved, objective, weights, run });
    const rounded = roundWeights(weights);
    const tuned = withWeights(prepared, weighted, { groups, weights: rounded });
    const remade = await openRecipe(tuned, opening);
    const after = await measure(bound, mergeByPlan(remade.plan), { follow: report(1), signal }).finally(() =>
      remade.close(),
    );
    return {
      recipe: tuned,
      models: weighted.map(({ name }) => name),
      groups: describeGroups(groups, rounded),
      objective,
      by,
      ...learned,
      tasks: tasks.map(({ data, evaluationData = data }, i) => ({
        data: data.name,
        evaluated: evaluationData.name,
        examples: evaluationData.size,
        before: at(before, i),
        after: at(after, i),
      })),
      unreached: tuning.unreached,
    };
  } finally {
    await opened.close();
  }
}

/** Weights that a tuning would learn, before anything is read but headers. */
export interface TuningPlan {
  /** Names of the networks that would have weights. */
  readonly models: readonly string[];
  /** Parts of the merge with weights of their own, and their weights at the start. */
  readonly groups: readonly Pick<CoefficientGroup, "name" | "tensors" | "start">[];
  /** Bytes of the networks in f32, which are held while weights are learned. */
  readonly bytes: number;
}

/**
 * Plans what `tuneMerge` would learn: which parts get weights, and where these start.
 * @throws the same errors as `tuneMerge` for a recipe that does not fit
 */
export async function planTuneMerge(
  recipe: Recipe,
  { by = "layer", start, seed, align, methodFiles }: TuneMergeOptions = {},
): Promise<TuningPlan> {
  const weighted = listWeighted(recipe);
  const { plan, close } = await openRecipe(withStart(recipe, start), { seed, align, methodFiles });
  try {
    const tensors = affineTensors(plan);
    const numbers = [...tensors.values()].reduce((sum, { info }) => sum + sizeOf(info.shape), 0);
    const groups = groupCoefficients(tensors, by);
    return { models: weighted.map(({ name }) => name), groups, bytes: 4 * numbers * (weighted.length + 2) };
  } finally {
    await close();
  }
}

async function measure(
  bound: readonly BoundTask[],
  merge: Checkpoint,
  { follow, signal }: { readonly follow: (done: number) => void; readonly signal: AbortSignal | undefined },
): Promise<readonly TaskScore[]> {
  const scores: TaskScore[] = [];
  for (const [i, task] of bound.entries()) {
    follow(i / bound.length);
    scores.push(await task.measure(merge, signal));
  }
  return scores;
}

/** Describes everything that decides the weights that are found. */
async function describeTuning(
  recipe: Recipe,
  tasks: readonly TunedTask[],
  options: Required<Omit<TuneMergeRules, "start" | "bounds" | "sum">> & TuneMergeOptions,
): Promise<RunDescription> {
  const { objective, by, steps, learningRate, batch, bounds, sum, seed, methodFiles, signal } = options;
  return {
    recipe: canonicalJson(recipe),
    objective,
    by,
    steps,
    learningRate,
    batch,
    seed,
    bounds: bounds?.join(", "),
    sum,
    ...Object.fromEntries(
      tasks.flatMap(({ architecture, data, expert }, i) => [
        [`graph ${i + 1}`, fingerprintGraph(architecture.graph)],
        [`data ${i + 1}`, describeData(data)],
        [`expert ${i + 1}`, expert],
        ["engine", withoutDevice(architecture.engine.name)],
      ]),
    ),
    ...(await identifyRecipe(recipe, { methodFiles, signal })),
  };
}

function describeGroups(
  groups: readonly CoefficientGroup[],
  weights: Float64Array,
): TuneMergeResult["groups"] {
  const models = weights.length / groups.length;
  return groups.map(({ name, start }, g) => ({
    name,
    start,
    weights: [...weights.subarray(g * models, (g + 1) * models)],
  }));
}
