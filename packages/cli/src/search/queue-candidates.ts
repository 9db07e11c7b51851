import { join } from "node:path";
import { digestFile, saveFile } from "@isthmus/core";
import { fingerprintData } from "@isthmus/graph";
import {
  fillSearched,
  gatherPath,
  gatherRecipe,
  identifyRecipe,
  listSearched,
  openCandidates,
  type Recipe,
  type SearchRecipeOptions,
  type StrictnessOptions,
} from "@isthmus/recipe";
import { createTask, type GatheredFiles, gatherFiles } from "@isthmus/tasks";
import { createEngine } from "../options/engine-option.ts";
import { describeGathered, gatherData } from "../work/gather-inputs.ts";
import type { QueueTasks } from "../work/with-queue.ts";
import type { QueuedSearchOptions } from "./assert-queueable.ts";
import { type JudgeOptions, openJudge } from "./open-judge.ts";
import {
  type SearchCandidateParams,
  type SearchCandidateResult,
  searchCandidateTask,
} from "./search-candidate-task.ts";

/** Options of a search whose merges are judged on the workers of a queue. */
export type QueuedCandidates = Pick<SearchRecipeOptions<Recipe>, "evaluate" | "identity">;

/**
 * Returns what merges and judges candidates on the workers of a queue, and what decides their scores.
 * @throws what `openRecipe` throws, before anything is queued
 */
export async function queueCandidates(
  tasks: QueueTasks,
  recipe: Recipe,
  {
    data = "",
    score,
    graph,
    exportedFrom,
    input,
    logits,
    loss,
    unread,
    mean,
    std,
    seed,
    engine,
    ...strictness
  }: QueuedSearchOptions & StrictnessOptions,
): Promise<QueuedCandidates> {
  const judge = { data, score, graph, exportedFrom, unread, mean, std };
  const judging = await openJudge(
    recipe,
    { ...judge, input, logits, loss },
    { engine: await createEngine(engine) },
  );
  const digest = fingerprintData(judging.examples);
  const identity = { ...(await identifyRecipe(recipe, tasks.context)), ...(await judging.identify()) };
  await judging.release();
  const names = join(tasks.folder, "names.json");
  await saveFile(names, JSON.stringify({ input, logits, loss }));
  await assertPlannable(recipe, { seed, strict: strictness.strict, onWarning: strictness.onWarning });
  const files = gatherFiles({ isElsewhere: !tasks.executor.isShared });
  const there = {
    recipe: await gatherRecipe(recipe, files),
    judge: await gatherJudge(judge, files),
  };
  const inputs = {
    names: [{ path: names, digest: await digestFile(names) }],
    files: await describeGathered(files, tasks.context),
  };
  const evaluate: QueuedCandidates["evaluate"] = async (_, signal, values) => {
    const params: SearchCandidateParams = { ...there, values, seed, digest };
    const label = `merge with ${values.join(", ")}`;
    const task = createTask(searchCandidateTask, tasks.engine, { params, inputs, label });
    const result = (await tasks.run(task, signal)) as SearchCandidateResult;
    return Number(result.score);
  };
  return { evaluate, identity };
}

/**
 * Plans one of the merges, so that what is wrong in a recipe is said before anything is queued.
 * @throws what `openRecipe` throws
 */
async function assertPlannable(
  recipe: Recipe,
  planning: StrictnessOptions & { readonly seed: number },
): Promise<void> {
  const starts = listSearched(recipe).map(({ start }) => start);
  const candidates = await openCandidates(recipe, {
    ...planning,
    judge: async () => Number.NaN,
    // Nothing is computed here: alignments are only planned.
    align: async (networks) => networks.map(({ network }) => network),
  });
  try {
    await candidates.judge(fillSearched(recipe, starts), undefined);
  } finally {
    await candidates.close();
  }
}

/** Adds the files that merges are judged by, and returns how tasks find them. */
async function gatherJudge<T extends Pick<JudgeOptions, "data" | "graph" | "exportedFrom">>(
  judge: T,
  files: GatheredFiles,
): Promise<T> {
  const { data, graph, exportedFrom } = judge;
  return {
    ...judge,
    data: await gatherData(data, files),
    ...(graph === undefined ? {} : { graph: await gatherPath(graph, files) }),
    ...(exportedFrom === undefined ? {} : { exportedFrom: await gatherPath(exportedFrom, files) }),
  };
}
