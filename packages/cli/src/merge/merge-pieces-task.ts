import { InputError } from "@isthmus/core";
import {
  type MergePiecesParams,
  type MergePlan,
  needsProducts,
  openMergeProducts,
  runMergePieces,
} from "@isthmus/merging";
import { assertRecipe, type OpenedRecipe, openRecipe, type Recipe } from "@isthmus/recipe";
import { canonicalJson, type TaskKind } from "@isthmus/tasks";
import { z } from "zod";
import { keepLast } from "../work/keep-last.ts";
import { PRODUCTS_MODULE } from "./products.ts";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1);

const UNFINISHED = z.strictObject({
  folder: name,
  run: name,
  tensors: z.array(
    z.tuple([
      name,
      z.strictObject({
        ...{ dtype: name, shape: z.array(count), position: count, path: name, target: name },
      }),
    ]),
  ),
  durable: z.boolean(),
});

/** What the parameters of pieces of a merge must look like; a recipe is checked by its own rules. */
const SCHEMA = z.strictObject({
  data: z.strictObject({ recipe: z.record(z.string(), z.unknown()), methodFiles: z.tuple([]), seed: count }),
  digest: name,
  allowNonFinite: z.boolean(),
  pieces: z.array(z.strictObject({ tensor: name, begin: count, end: count })),
  bytes: count,
  unfinished: UNFINISHED.optional(),
});

/** A merge by a recipe as plain data, as `openRecipe` describes it. */
interface RecipeMerge {
  readonly recipe: Recipe;
  readonly seed: number;
}

/**
 * Makes pieces of a merge by a recipe, and writes them into their places in unfinished files, or into a file
 * of its own where it does not see these.
 */
export const mergePiecesTask: TaskKind<MergePiecesParams> = {
  name: "merge-pieces",
  version: 1,
  assertParams(params) {
    const { success, error } = SCHEMA.safeParse(params);
    if (success) return assertRecipe((params as { data: RecipeMerge }).data.recipe);
    throw new InputError(
      `Cannot merge for another machine as what it asks for must be pieces of a merge, without methods of its own: ${z.prettifyError(error)}`,
      { input: "params" },
    );
  },
  async run({ folder, signal, onProgress }, params) {
    let written = 0;
    const onBytes = (more: number): void => {
      written += more;
      onProgress(Math.min(1, written / params.bytes));
    };
    await runMergePieces(await planOf(params.data as RecipeMerge), params, { folder, signal, onBytes });
    return { bytes: params.bytes };
  },
};

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
