import { createFolder, type GgufEncoding, ggufForm, type Importance, InputError } from "@isthmus/core";
import {
  type Adapter,
  assertNoModel,
  type SaveMergeOptions,
  type SaveMergeResult,
  saveAdapterConfig,
  saveMerge,
  weightFileOf,
} from "@isthmus/merging";
import { join } from "@isthmus/platform";
import { placeWeights } from "../models/place-weights.ts";
import { type PlanSummary, summarizePlan } from "../plan/summarize-plan.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { checkOpened } from "./check-opened.ts";
import { type OpenedRecipe, type OpenRecipeOptions, openRecipe } from "./open-recipe.ts";
import { planRecipeFiles, type RecipeFiles, shardBytesOf, writeRecipeFiles } from "./write-recipe-files.ts";

/** Options of {@link saveRecipe}. */
export interface SaveRecipeOptions extends Omit<SaveMergeOptions, "source" | "recipe"> {
  /** The recipe as text, for the model card. @defaultValue the recipe as YAML */
  readonly text?: string | undefined;
  /** Quantised encoding of a GGUF file, for an output ending in `.gguf`. @defaultValue floats as merged */
  readonly encoding?: GgufEncoding | undefined;
  /** Importance of columns for the encoding. @defaultValue all columns count as much */
  readonly importance?: Importance | undefined;
  /**
   * Called with a sentence for tensors that have another type than the encoding asks for.
   * @defaultValue not told
   */
  readonly onFallback?: ((note: string) => void) | undefined;
}

/** Options of {@link runRecipe}. */
export interface RunRecipeOptions extends OpenRecipeOptions, SaveRecipeOptions {
  /**
   * Whether a sample of the networks is compared first, so that a meaningless merge is refused; warnings go
   * to `onNote`. @defaultValue true
   */
  readonly check?: boolean | undefined;
}

/** Result of {@link runRecipe}. */
export interface RunRecipeResult {
  /** Files of the weights, and the way in which they were written. */
  readonly output: SaveMergeResult;
  /** Numbers of tensors that were merged, copied and left out, and of bytes. */
  readonly summary: PlanSummary;
  /** Files of the model beside the weights, such as its config. */
  readonly modelFiles: RecipeFiles;
}

/**
 * Makes the network that a recipe describes, and saves it as safetensors. A folder also gets the files with
 * which a model is loaded: config, tokenizer, chat template, model card. A merge of LoRA adapters is saved as
 * an adapter that PEFT loads, in a folder.
 *
 * Worker threads make the merge within a limit of memory. An interrupted merge is resumed, see `saveMerge`.
 *
 * @param output - path of a file ending in `.safetensors`, or of a folder; or ending in `.gguf` if the base,
 *   or the first network, is a GGUF file, whose metadata describe the result
 * @throws InputError if something in the recipe is wrong, the merge would surely be meaningless, a network
 *   cannot be opened, or the output cannot be written
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
  const { methods, methodFiles, seed, open, align, strict, onWarning, check, ...saving } = options;
  const opened = await openRecipe(recipe, { methods, methodFiles, seed, open, align, strict, onWarning });
  try {
    const { signal, onNote } = saving;
    for (const { severity, message, advice } of await checkOpened(opened, { check, signal, onNote }))
      onNote?.(`${severity}: ${message}; ${advice}`);
    return await saveRecipe(recipe, opened, output, saving);
  } finally {
    await opened.close();
  }
}

/** Saves the network or adapter that an opened recipe makes, see {@link runRecipe}. */
export async function saveRecipe(
  recipe: Recipe,
  opened: OpenedRecipe,
  output: string,
  { text, encoding, importance, onFallback, ...options }: SaveRecipeOptions = {},
): Promise<RunRecipeResult> {
  const { plan, source, isSlow, adapter } = opened;
  for (const note of opened.models.renamed) options.onNote?.(note);
  const isGguf = output.endsWith(".gguf");
  const files = await planRecipeFiles(recipe, opened, { output, text });
  const weights =
    adapter === undefined
      ? await placeWeights(output, opened.plan.networks)
      : await adapterWeightsIn(adapter, output);
  const saved = await saveMerge(plan, weights, {
    ...options,
    ...(isGguf && { form: ggufForm({ dtype: encoding, importance, onNote: onFallback }) }),
    source,
    recipe,
    // Each thread would align the networks again, or compute a module of an adapter once for each matrix.
    threads: isSlow ? 1 : options.threads,
    openExecutor: isSlow ? undefined : options.openExecutor,
    maxShardBytes: options.maxShardBytes ?? (isGguf ? Number.POSITIVE_INFINITY : await shardBytesOf(opened)),
  });
  const modelFiles =
    adapter === undefined ? await writeRecipeFiles(files, output) : await writeAdapterFiles(adapter, output);
  return {
    output: weights === output ? saved : { ...saved, path: output },
    summary: summarizePlan(plan),
    modelFiles,
  };
}

/** Writes the settings of a merged adapter, and removes the card and the recipe of an earlier merge. */
async function writeAdapterFiles(adapter: Adapter, output: string): Promise<RecipeFiles> {
  const files = await saveAdapterConfig(adapter, output);
  const { notes } = await writeRecipeFiles(undefined, output);
  return { files, notes };
}

/**
 * Creates the folder of an adapter, and returns the path of its weights there, with the file name that
 * programs expect. If the output is named like a file, an adapter that is a single file is written to that
 * path.
 * @throws InputError if the output is named like a file, and the adapter is a folder of PEFT; or if it is the
 *   folder of a model
 */
async function adapterWeightsIn(adapter: Adapter, output: string): Promise<string> {
  if (output.endsWith(".safetensors") && adapter.naming !== "PEFT") return output;
  if (output.endsWith(".safetensors")) {
    throw new InputError(
      `Cannot write the merged adapter to "${output}" as an adapter is a folder of weights and settings: name a folder`,
      { input: output },
    );
  }
  await assertNoModel(output);
  await createFolder(output);
  return join(output, weightFileOf(adapter));
}
