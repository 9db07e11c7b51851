import { join } from "node:path";
import { digestFile, saveFile } from "@isthmus/core";
import { fingerprintData } from "@isthmus/graph";
import {
  fillSearched,
  isRecipeFile,
  listReferences,
  listSearched,
  openCandidates,
  type Recipe,
  type SearchRecipeOptions,
} from "@isthmus/recipe";
import { createTask, type TaskFile } from "@isthmus/tasks";
import { createEngine } from "../options/engine-option.ts";
import type { QueueTasks } from "../work/with-queue.ts";
import type { QueuedSearchOptions } from "./assert-queueable.ts";
import { openJudge } from "./open-judge.ts";
import {
  type SearchCandidateParams,
  type SearchCandidateResult,
  searchCandidateTask,
} from "./search-candidate-task.ts";

/**
 * Returns what merges and judges candidates on the workers of a queue, as `evaluate` of a search.
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
    unread,
    mean,
    std,
    seed,
    engine,
  }: QueuedSearchOptions,
): Promise<SearchRecipeOptions<Recipe>["evaluate"]> {
  const judge = { data, score, graph, exportedFrom, unread, mean, std };
  const judging = await openJudge(
    recipe,
    { ...judge, input, logits },
    { engine: await createEngine(engine) },
  );
  const digest = fingerprintData(judging.examples);
  await judging.release();
  const names = join(tasks.folder, "names.json");
  await saveFile(names, JSON.stringify({ input, logits }));
  const used = [graph, exportedFrom].filter((path) => path !== undefined);
  const inputs = {
    names: await describeFiles([names]),
    networks: await describeFiles(await listFiles(recipe, seed)),
    ...(used.length === 0 ? {} : { judge: await describeFiles(used) }),
  };
  return async (_, signal, values) => {
    const params: SearchCandidateParams = { recipe, values, seed, judge, digest };
    const label = `merge with ${values.join(", ")}`;
    const task = createTask(searchCandidateTask, tasks.engine, { params, inputs, label });
    const result = (await tasks.run(task, signal)) as SearchCandidateResult;
    return Number(result.score);
  };
}

async function describeFiles(paths: readonly string[]): Promise<readonly TaskFile[]> {
  const files: TaskFile[] = [];
  for (const path of paths) files.push({ path, digest: await digestFile(path) });
  return files;
}

/** Lists all files that merges by a recipe read, which plans one of them. */
async function listFiles(recipe: Recipe, seed: number): Promise<readonly string[]> {
  const starts = listSearched(recipe).map(({ start }) => start);
  const nested = listReferences(recipe).flatMap(({ reference }) =>
    typeof reference === "string" && isRecipeFile(reference) ? [reference] : [],
  );
  const candidates = await openCandidates(recipe, {
    seed,
    judge: async () => Number.NaN,
    // Nothing is computed here: alignments are only planned.
    align: async (networks) => networks.map(({ network }) => network),
  });
  try {
    await candidates.judge(fillSearched(recipe, starts), undefined);
    return [...candidates.listFiles(), ...nested];
  } finally {
    await candidates.close();
  }
}
