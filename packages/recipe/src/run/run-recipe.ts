import { stat } from "node:fs/promises";
import { at } from "@isthmus/core";
import { type SaveMergeOptions, type SaveMergeResult, saveMerge } from "@isthmus/merging";
import { type PlanSummary, summarizePlan } from "../plan/summarize-plan.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { type OpenedRecipe, type OpenRecipeOptions, openRecipe } from "./open-recipe.ts";
import { type RecipeFiles, writeRecipeFiles } from "./write-recipe-files.ts";

/** Options of {@link saveRecipe}. */
export interface SaveRecipeOptions extends Omit<SaveMergeOptions, "source" | "recipe"> {
  /** The recipe as text, for the model card. @defaultValue the recipe as YAML */
  readonly text?: string | undefined;
}

/** Options of {@link runRecipe}. */
export interface RunRecipeOptions extends OpenRecipeOptions, SaveRecipeOptions {}

/** What {@link runRecipe} has done. */
export interface RunRecipeResult {
  readonly output: SaveMergeResult;
  readonly summary: PlanSummary;
  /** Files of the model beside the weights, such as its config. */
  readonly modelFiles: RecipeFiles;
}

/**
 * Makes the network that a recipe describes, and saves it as safetensors; in a folder, with all that a model
 * is loaded with: config, tokenizer, chat template, model card.
 *
 * The merge is made by worker threads within a limit of memory, and goes on where it was interrupted: see
 * `saveMerge`.
 *
 * @param output - a file ending in `.safetensors`, or a folder
 * @throws InputError if something in the recipe is wrong, a network cannot be opened, or the output cannot be
 *   written
 * @throws MismatchError if tensors that are merged are missing or of other shapes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRecipe, runRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *     parameters: { weight: 0.7 }
 *   - model: examples/mnist-mlp/s1.safetensors
 *     parameters: { weight: 0.3 }
 * `);
 * const { summary } = await runRecipe(recipe, "merged.safetensors", { overwrite: true });
 * assert.deepEqual([summary.merged, summary.copied, summary.absent], [8, 0, []]);
 * ```
 */
export async function runRecipe(
  recipe: Recipe,
  output: string,
  options: RunRecipeOptions = {},
): Promise<RunRecipeResult> {
  const { methods, methodFiles, seed, open, align, ...saving } = options;
  const opened = await openRecipe(recipe, { methods, methodFiles, seed, open, align });
  try {
    return await saveRecipe(recipe, opened, output, saving);
  } finally {
    await opened.close();
  }
}

/** Saves what an opened recipe makes, see {@link runRecipe}. */
export async function saveRecipe(
  recipe: Recipe,
  opened: OpenedRecipe,
  output: string,
  { text, ...options }: SaveRecipeOptions = {},
): Promise<RunRecipeResult> {
  const { plan, source, isAligned } = opened;
  const saved = await saveMerge(plan, output, {
    ...options,
    ...{ source, recipe },
    // Each thread would align the networks again.
    threads: isAligned ? 1 : options.threads,
    maxShardBytes: options.maxShardBytes ?? (await shardBytesOf(opened)),
  });
  const modelFiles = await writeRecipeFiles(recipe, opened, output, { text });
  return { output: saved, summary: summarizePlan(plan), modelFiles };
}

/**
 * Finds the size of shards: that of the largest file of the first network that has several, else no limit.
 */
async function shardBytesOf({ models: { inputs } }: Pick<OpenedRecipe, "models">): Promise<number> {
  for (const {
    network: { files },
  } of inputs) {
    const weights = files.filter((file) => file.endsWith(".safetensors"));
    if (weights.length < 2) continue;
    const sizes = await Promise.all(weights.map(async (file) => (await stat(file)).size));
    return at(
      sizes.sort((a, b) => b - a),
      0,
      "size",
    );
  }
  return Number.POSITIVE_INFINITY;
}
