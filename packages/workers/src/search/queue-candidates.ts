import { join } from "node:path";
import { digestFile, saveFile } from "@isthmus/core";
import { fingerprintData } from "@isthmus/graph";
import {
  fillSearched,
  gatherPath,
  gatherRecipe,
  identifyRecipe,
  type MergeJudgeOptions,
  openCandidates,
  openJudge,
  type Recipe,
  type SearchRecipeOptions,
  type StrictnessOptions,
  valuesOfEachOption,
} from "@isthmus/recipe";
import { createTask, type GatheredFiles, gatherFiles } from "@isthmus/tasks";
import { describeGathered, gatherData } from "../queue/gather-inputs.ts";
import type { QueueTasks } from "../queue/with-queue.ts";
import {
  type DescribedJudge,
  type SearchCandidateParams,
  type SearchCandidateResult,
  searchCandidateTask,
} from "./search-candidate-task.ts";

/** Options of a search whose merges are judged on the workers of a queue. */
export type QueuedCandidates = Pick<SearchRecipeOptions<Recipe>, "evaluate" | "identity">;

/** Options for judging the merges of a queued search, and the seed of their methods. */
export interface QueuedSearchOptions extends MergeJudgeOptions, StrictnessOptions {
  /**
   * Seed of the random choices of merge methods, the same for every candidate; a whole number in `[0, 2^53)`.
   */
  readonly seed: number;
}

/**
 * Returns a function that merges and judges candidates on the workers of a queue, and the identity of the
 * search, which holds everything that decides the scores.
 * @throws the errors of `openRecipe`, before anything is queued
 */
export async function queueCandidates(
  tasks: QueueTasks,
  recipe: Recipe,
  { seed, strict, onWarning, ...options }: QueuedSearchOptions,
): Promise<QueuedCandidates> {
  const { data, score, graph, exportedFrom, input, logits, loss, unread, scaling } = options;
  const judge = { data, score, graph, exportedFrom, unread, mean: scaling?.mean, std: scaling?.std };
  const judging = await openJudge(recipe, options, { engine: tasks.engine });
  const digest = fingerprintData(judging.examples);
  const identity = {
    ...(await identifyRecipe(recipe, { signal: tasks.signal })),
    ...(await judging.identify()),
  };
  await judging.release();
  const names = join(tasks.folder, "names.json");
  await saveFile(names, JSON.stringify({ input, logits, loss }));
  await assertPlannable(recipe, { seed, strict, onWarning });
  const files = gatherFiles({ isElsewhere: !tasks.executor.isShared });
  const there = {
    recipe: await gatherRecipe(recipe, files),
    judge: await gatherJudge(judge, files),
  };
  const inputs = {
    names: [{ path: names, digest: await digestFile(names) }],
    files: await describeGathered(files, tasks),
  };
  const evaluate: QueuedCandidates["evaluate"] = async (_, signal, values) => {
    const params: SearchCandidateParams = { ...there, values, seed, digest };
    const label = `merge with ${values.join(", ")}`;
    const task = createTask(searchCandidateTask, tasks.engine.name, { params, inputs, label });
    const result = (await tasks.run(task, signal)) as SearchCandidateResult;
    return Number(result.score);
  };
  return { evaluate, identity };
}

/**
 * Plans a merge with each option of each choice, so that problems of a recipe are reported before anything is
 * queued.
 * @throws the errors of `openRecipe`
 */
async function assertPlannable(
  recipe: Recipe,
  planning: StrictnessOptions & { readonly seed: number },
): Promise<void> {
  const candidates = await openCandidates(recipe, {
    ...planning,
    judge: async () => Number.NaN,
    // Nothing is computed here: alignments are only planned.
    align: async (networks) => networks.map(({ network }) => network),
  });
  try {
    for (const values of valuesOfEachOption(recipe)) await candidates.check(fillSearched(recipe, values));
  } finally {
    await candidates.close();
  }
}

/** Adds the files by which merges are judged, and returns the paths by which tasks find them. */
async function gatherJudge(judge: DescribedJudge, files: GatheredFiles): Promise<DescribedJudge> {
  const { data, graph, exportedFrom } = judge;
  return {
    ...judge,
    data: await gatherData(data, files),
    ...(graph === undefined ? {} : { graph: await gatherPath(graph, files) }),
    ...(exportedFrom === undefined ? {} : { exportedFrom: await gatherPath(exportedFrom, files) }),
  };
}
