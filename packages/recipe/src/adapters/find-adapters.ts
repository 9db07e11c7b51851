import { resolveModelPath } from "@isthmus/core";
import { isAdapter } from "@isthmus/merging";
import type { CheckedRecipe, Member } from "../plan/groups.ts";
import { isNested } from "../read/parse-recipe.ts";
import type { ModelReference } from "../recipe/recipe.ts";
import { nameOfReference } from "../run/list-references.ts";
import { splitReference } from "../run/open-reference.ts";

/**
 * Finds the folders and files of the adapters of a recipe that merges LoRA adapters with each other;
 * undefined if it merges networks. Nothing is opened.
 *
 * @throws InputError if some of its models are adapters and others are networks; the message says how to
 *   write an adapter of a network
 */
export async function findAdapters({
  recipe,
  groups,
  places,
}: CheckedRecipe): Promise<readonly string[] | undefined> {
  const [group, ...others] = groups;
  if (recipe.models === undefined || group === undefined || others.length > 0) return undefined;
  const folders = await Promise.all(group.members.map(({ reference }) => findAdapter(reference)));
  const adapters = folders.filter((folder) => folder !== undefined);
  if (adapters.length === 0) return undefined;
  if (adapters.length === folders.length) return adapters;
  const network = group.members.find((_, i) => folders[i] === undefined);
  const problems = group.members.flatMap((member, i) =>
    folders[i] === undefined ? [] : [{ path: [...member.path, "model"], text: explainMix(member, network) }],
  );
  places.reject("Cannot plan the recipe as its models must be networks, or all adapters", problems);
  return undefined;
}

function explainMix({ reference }: Member, network: Member | undefined): string {
  const base = network === undefined ? "base" : nameOfReference(network.reference);
  return `is a LoRA adapter among networks: write it behind the model that it changes, as "${base}+${nameOfReference(reference)}"`;
}

async function findAdapter(reference: ModelReference): Promise<string | undefined> {
  if (isNested(reference)) return undefined;
  const { path, revision, adapters } = await splitReference(reference);
  if (adapters.length > 0) return undefined;
  // A name that is not found is no adapter: opening it as a network reports the missing files.
  const folder = await resolveModelPath(revision === undefined ? path : `${path}@${revision}`).catch(
    () => path,
  );
  return (await isAdapter(folder)) ? folder : undefined;
}
