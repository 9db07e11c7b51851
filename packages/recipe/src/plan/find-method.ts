import { closestName, entry } from "@isthmus/core";
import type { MergeMethod } from "@isthmus/merging";
import type { Recipe } from "../recipe/recipe.ts";
import { rejectRecipe } from "../recipe/reject.ts";

/**
 * Finds the method of a recipe.
 * @throws InputError if there is none of its name; the message says which one may be meant
 */
export function findMethod(recipe: Recipe, methods: ReadonlyMap<string, MergeMethod>): MergeMethod {
  const { merge_method: name } = recipe;
  const method = methods.get(name);
  if (method !== undefined) return method;
  const names = [...methods.keys()];
  const meant = closestName(name, names);
  const hint =
    meant === undefined ? `the methods are ${names.sort().join(", ")}` : `did you mean "${meant}"?`;
  const problem = { path: ["merge_method"], text: `is "${name}"; ${hint}` };
  rejectRecipe(recipe, "Cannot plan the recipe as its method must be known", [problem]);
  return entry(methods, name, "method");
}
