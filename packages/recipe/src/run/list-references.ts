import { keyOf, listGroups, type Member } from "../plan/groups.ts";
import { isRecipeFile } from "../read/parse-recipe.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";

/** A network that a recipe names, and where it does first. */
export type NamedReference = Pick<Member, "reference" | "path">;

/** Lists the networks that a recipe names, each once, in its order, bases last. */
export function listReferences(recipe: Recipe): readonly NamedReference[] {
  const members = listGroups(recipe).flatMap(({ members: named, base }) => [
    ...named,
    ...(base ? [base] : []),
  ]);
  const places = new Map<string, NamedReference>();
  for (const member of members) {
    const key = keyOf(member.reference);
    if (!places.has(key)) places.set(key, member);
  }
  return [...places.values()];
}

/** Checks whether a reference is to a recipe, as an object or as a path. */
export function isNested(reference: ModelReference): reference is Recipe {
  return isRecipe(reference) || (typeof reference === "string" && isRecipeFile(reference));
}

/** Returns what a recipe calls a network, as `path@revision+adapter`. */
export function nameOf(reference: ModelReference): string {
  if (typeof reference === "string") return reference;
  if (isRecipe(reference))
    return `a recipe of ${listReferences(reference)
      .map((named) => nameOf(named.reference))
      .join(", ")}`;
  const { model, lora } = reference;
  return [model, lora].flatMap((part) => (part === undefined ? [] : [nameOfPart(part)])).join("+");
}

function nameOfPart(part: string | { readonly path: string; readonly revision?: string }): string {
  if (typeof part === "string") return part;
  return part.revision === undefined ? part.path : `${part.path}@${part.revision}`;
}
