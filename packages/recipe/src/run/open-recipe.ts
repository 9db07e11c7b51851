import type { Checkpoint } from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { type PlanRecipeOptions, planRecipe } from "../plan/plan-recipe.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { openReference } from "./open-reference.ts";

/** Options of {@link openRecipe}. */
export type OpenRecipeOptions = Partial<PlanRecipeOptions>;

/** The plan of a recipe, and the networks that were opened for it. */
export interface OpenedRecipe {
  readonly plan: MergePlan;
  /** Closes the networks; the plan cannot be run afterwards. */
  close(): Promise<void>;
}

/**
 * Opens the networks of a recipe and plans its merge; paths are looked up from the folder the process runs
 * in.
 * @throws InputError if a network cannot be opened, or something in the recipe is wrong
 * @throws MismatchError if tensors that are merged are missing or of other shapes
 */
export async function openRecipe(recipe: Recipe, options: OpenRecipeOptions = {}): Promise<OpenedRecipe> {
  const { open = openReference } = options;
  const opened: Checkpoint[] = [];
  const close = async () => {
    for (const network of opened) await network.close();
  };
  const openAndKeep: PlanRecipeOptions["open"] = async (reference) => {
    const network = await open(reference);
    opened.push(network);
    return network;
  };
  try {
    return { plan: await planRecipe(recipe, { ...options, open: openAndKeep }), close };
  } catch (error) {
    await close();
    throw error;
  }
}
