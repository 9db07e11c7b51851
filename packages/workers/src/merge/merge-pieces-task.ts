import { dirname } from "node:path";
import { InputError } from "@isthmus/core";
import { PRODUCTS_MODULE } from "@isthmus/engine/products";
import {
  type MergePiecesParams,
  type MergePlan,
  needsProducts,
  openMergeProducts,
  runMergePieces,
} from "@isthmus/merging";
import { assertRecipe, moveRecipePaths, type OpenedRecipe, openRecipe, type Recipe } from "@isthmus/recipe";
import { canonicalJson, type TaskKind } from "@isthmus/tasks";
import * as z from "zod";
import { keepLast } from "../kinds/keep-last.ts";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1);

const UNFINISHED = z.strictObject({
  run: name,
  tensors: z.array(z.tuple([name, z.strictObject({ file: name, position: count })])),
  durable: z.boolean(),
});

/**
 * Schema of the parameters of a task that makes pieces of a merge; the recipe is checked by its own rules.
 */
const SCHEMA = z.strictObject({
  data: z.strictObject({ recipe: z.record(z.string(), z.unknown()), methodFiles: z.tuple([]), seed: count }),
  digest: name,
  allowNonFinite: z.boolean(),
  pieces: z.array(z.strictObject({ tensor: name, begin: count, end: count })),
  bytes: count,
  unfinished: UNFINISHED.optional(),
});

/** A merge by a recipe, as plain data in the form of `openRecipe`. */
interface RecipeMerge {
  readonly recipe: Recipe;
  readonly seed: number;
}

/**
 * Task that makes pieces of a merge by a recipe, and writes them into their places in unfinished files, or
 * into a file of its own if it does not see these.
 */
export const mergePiecesTask: TaskKind<MergePiecesParams> = {
  name: "merge-pieces",
  version: 2,
  assertParams(params) {
    const { success, error } = SCHEMA.safeParse(params);
    if (success) return assertRecipe((params as { data: RecipeMerge }).data.recipe);
    throw new InputError(
      `Cannot merge for another machine as what it asks for must be pieces of a merge, without methods of its own: ${z.prettifyError(error)}`,
      { input: "params" },
    );
  },
  movePaths(params, move) {
    const data = params.data as RecipeMerge;
    return { ...params, data: { ...data, recipe: moveRecipePaths(data.recipe, move) } };
  },
  writesInto: ({ store }) => (store === undefined ? [] : [unfinishedFolderOf(store)]),
  async run({ folder, store, signal, onProgress }, params) {
    let written = 0;
    const onBytes = (more: number): void => {
      written += more;
      onProgress(Math.min(1, written / params.bytes));
    };
    const unfinishedFolder = store === undefined ? undefined : unfinishedFolderOf(store);
    const control = { folder, unfinishedFolder, signal, onBytes };
    await runMergePieces(await planOf(params.data as RecipeMerge), params, control);
    return { bytes: params.bytes };
  },
};

/** Returns the folder of unfinished files, which contains the folder `store` of the results of tasks. */
const unfinishedFolderOf = (store: string): string => dirname(store);

interface Opened {
  readonly recipe: OpenedRecipe;
  readonly plan: MergePlan;
}

const keepMerge = keepLast<Opened>(({ recipe }) => recipe.close());

async function planOf(merge: RecipeMerge): Promise<MergePlan> {
  const key = canonicalJson([process.cwd(), merge]);
  return (await keepMerge(key, () => openMerge(merge))).plan;
}

async function openMerge({ recipe, seed }: RecipeMerge): Promise<Opened> {
  const opened = await openRecipe(recipe, { seed });
  if (!needsProducts(opened.plan)) return { recipe: opened, plan: opened.plan };
  return { recipe: opened, plan: { ...opened.plan, products: await openMergeProducts(PRODUCTS_MODULE, 1) } };
}
