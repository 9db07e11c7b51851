import { digestFile } from "@isthmus/core";
import { gatherFiles, type JournalRun } from "@isthmus/tasks";
import type { Recipe } from "../recipe/recipe.ts";
import { gatherRecipe } from "../run/gather-recipe.ts";

/** Options of {@link identifyRecipe}. */
export interface IdentifyRecipeOptions {
  /** Paths of JavaScript files with further methods. @defaultValue none */
  readonly methodFiles?: readonly string[] | undefined;
  /** Signal that stops the computation of digests. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes the digests of all files that merging by a recipe reads, for the journal of a search: weights,
 * configs, tokenizers, adapters, measurements, graphs for alignment and methods.
 * @throws InputError if a network cannot be opened
 * @throws the reason of the signal if it is aborted meanwhile
 */
export async function identifyRecipe(
  recipe: Recipe,
  { methodFiles = [], signal }: IdentifyRecipeOptions = {},
): Promise<JournalRun> {
  const files = gatherFiles({ isElsewhere: false });
  await gatherRecipe(recipe, files);
  for (const file of methodFiles) files.add(file);
  return identifyFiles(
    files.list().map(({ path }) => path),
    signal,
  );
}

/** Computes the digests of files, by names that contain the paths of the files. */
export async function identifyFiles(paths: readonly string[], signal?: AbortSignal): Promise<JournalRun> {
  const run: Record<string, string> = {};
  for (const path of paths) run[`digest of ${path}`] = await digestFile(path, { signal });
  return run;
}
