import { type Group, keyOf, listGroups, type Member, namedIn } from "../plan/groups.ts";
import { isRecipe, type ModelReference } from "../recipe/recipe.ts";

/** A network that a recipe names, and the first place that names it. */
export type NamedReference = Pick<Member, "reference" | "path">;

/**
 * Lists the networks that the groups of a recipe name, each once, in the order of the recipe; the base of
 * each group follows its members.
 */
export function listReferences(groups: readonly Group[]): readonly NamedReference[] {
  const places = new Map<string, NamedReference>();
  for (const member of groups.flatMap(namedIn)) {
    const key = keyOf(member.reference);
    if (!places.has(key)) places.set(key, member);
  }
  return [...places.values()];
}

/** Returns the name of a network in a recipe, as `path@revision+adapter`. */
export function nameOfReference(reference: ModelReference): string {
  if (typeof reference === "string") return reference;
  if (isRecipe(reference))
    return `a recipe of ${listReferences(listGroups(reference))
      .map((named) => nameOfReference(named.reference))
      .join(", ")}`;
  const { model, lora } = reference;
  return [model, lora].flatMap((part) => (part === undefined ? [] : [nameOfPart(part)])).join("+");
}

function nameOfPart(part: string | { readonly path: string; readonly revision?: string }): string {
  if (typeof part === "string") return part;
  return part.revision === undefined ? part.path : `${part.path}@${part.revision}`;
}
