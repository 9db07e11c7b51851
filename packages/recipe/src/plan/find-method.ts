import { closestName, entry } from "@isthmus/core";
import { MERGE_METHODS, METHODS_WITH_DATA, type MergeMethod } from "@isthmus/merging";
import type { RecipePlaces } from "../recipe/places.ts";

/** Methods that recipes may name, unless a caller lists other methods. */
export const RECIPE_METHODS: ReadonlyMap<string, MergeMethod> = new Map([
  ...MERGE_METHODS,
  ...METHODS_WITH_DATA,
]);

/** Advice on methods that recipes cannot name because they are functions only, by name. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  [
    "regmean_plus_plus",
    'which measures inputs anew after each layer that is merged, so that no file can hold them: call regmeanPlusPlus() of @isthmus/merging, or write "regmean"',
  ],
]);

/**
 * Finds the method of a recipe.
 * @throws InputError if no method has that name; the message suggests the closest name
 */
export function findMethod(
  name: string,
  methods: ReadonlyMap<string, MergeMethod>,
  places: RecipePlaces,
): MergeMethod {
  const method = methods.get(name);
  if (method !== undefined) return method;
  const names = [...methods.keys()];
  const meant = closestName(name, names);
  const ofFunction = FUNCTIONS.get(name);
  const hint =
    meant === undefined ? `the methods are ${names.sort().join(", ")}` : `did you mean "${meant}"?`;
  const text = ofFunction === undefined ? `is "${name}"; ${hint}` : `is "${name}", ${ofFunction}`;
  const problem = { path: ["merge_method"], text };
  places.reject("Cannot plan the recipe as its method must be known", [problem]);
  return entry(methods, name, "method");
}
