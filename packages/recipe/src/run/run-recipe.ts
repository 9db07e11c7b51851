import { describeMaking, InvariantError, type SaveCheckpointResult } from "@isthmus/core";
import { copyModelFiles } from "@isthmus/zoo";
import { type PlanSummary, summarizePlan } from "../plan/summarize-plan.ts";
import { isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { isRecipe, type ModelReference, RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import { type OpenedRecipe, type OpenRecipeOptions, openRecipe } from "./open-recipe.ts";
import { splitReference } from "./open-reference.ts";
import { type SavePlanOptions, savePlan } from "./save-plan.ts";

/** Options of {@link runRecipe}. */
export interface RunRecipeOptions extends OpenRecipeOptions, Omit<SavePlanOptions, "metadata"> {
  /** Version of the program, for the metadata. @defaultValue none is written */
  readonly version?: string | undefined;
}

/** What {@link runRecipe} has done. */
export interface RunRecipeResult {
  readonly output: SaveCheckpointResult;
  readonly summary: PlanSummary;
  /** Files of the model beside the weights, such as its config. */
  readonly modelFiles: readonly string[];
}

/**
 * Makes the network that a recipe describes, and saves it as safetensors; a model's config and tokenizer are
 * copied from the base, or the first network.
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
  const opened = await openRecipe(recipe, options);
  try {
    return await saveRecipe(recipe, opened, output, options);
  } finally {
    await opened.close();
  }
}

/** Saves what an opened recipe makes, see {@link runRecipe}. */
export async function saveRecipe(
  recipe: Recipe,
  { plan }: Pick<OpenedRecipe, "plan">,
  output: string,
  { version, threads, memory, seed, ...options }: RunRecipeOptions,
): Promise<RunRecipeResult> {
  const { maxShardBytes, overwrite, allowNonFinite, signal, onProgress } = options;
  const making = { verb: "merge", recipe, seed: plan.seed };
  const saved = await savePlan(plan, output, {
    ...{ threads, memory, signal, onProgress },
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
    ...{ overwrite: overwrite ?? false, allowNonFinite: allowNonFinite ?? false },
    metadata:
      version === undefined
        ? plan.metadata
        : { ...plan.metadata, ...describeMaking(plan.networks, { ...making, version }) },
  });
  return { output: saved, summary: summarizePlan(plan), modelFiles: await writeModelFiles(recipe, output) };
}

/** Writes what a model is loaded with; this is the one place where recipes do. */
async function writeModelFiles(recipe: Recipe, output: string): Promise<readonly string[]> {
  const { path } = await splitReference(await templateOf(recipe));
  const dtype = recipe.out_dtype ?? recipe.dtype;
  return copyModelFiles(path, output, dtype === undefined ? undefined : RECIPE_DTYPES[dtype]);
}

/**
 * Returns the network whose config and names the result has: the base, or the first one; of a recipe, its
 * own.
 */
async function templateOf(recipe: Recipe): Promise<Exclude<ModelReference, Recipe>> {
  const parts = recipe.modules === undefined ? [recipe] : Object.values(recipe.modules);
  const [first] = parts.flatMap(({ models = [], slices = [] }) => [
    ...models,
    ...slices.flatMap(({ sources }) => sources),
  ]);
  const reference = recipe.base_model ?? first?.model;
  if (reference === undefined) throw new InvariantError("No network in a recipe that was checked");
  if (isRecipe(reference)) return templateOf(reference);
  const isFile = typeof reference === "string" && isRecipeFile(reference);
  return isFile ? templateOf(await readRecipe(reference)) : reference;
}
