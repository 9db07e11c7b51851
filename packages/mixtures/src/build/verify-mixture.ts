import { createCheckpoint, InputError } from "@isthmus/core";
import type { MergeProvenance, OpenedMerge } from "@isthmus/merging";
import { findAdapterLayout } from "../adapters/adapter-layout.ts";
import { openRecordedPart } from "../adapters/build-adapter-mixture.ts";
import { type MakeGatesOptions, makeTensors } from "./open-gates.ts";
import { openMixture } from "./open-mixture.ts";
import { planMixture } from "./plan-mixture.ts";
import { parseMixtureRecipe } from "./read-mixture-recipe.ts";

/**
 * Opens the mixture that the record in the metadata of a result describes, to make it again; its gates are
 * computed at once.
 * @param path - path of the result, for messages
 * @throws InputError if the record has no recipe of a mixture, or a model cannot be opened
 */
export async function openRecordedMixture(
  path: string,
  { recipe, seed, part }: MergeProvenance,
  options: MakeGatesOptions = {},
): Promise<OpenedMerge> {
  if (typeof recipe !== "object" || recipe === null) {
    throw new InputError(
      `Cannot verify "${path}" as it must store the recipe of its mixture: it stores none`,
      {
        input: path,
      },
    );
  }
  const read = parseMixtureRecipe(JSON.stringify(recipe));
  const layout = findAdapterLayout(read.recipe);
  if (layout !== undefined) return openRecordedPart(read, { layout, part: part ?? "", seed }, options);
  const opened = await openMixture(read, { seed, forTraining: true });
  try {
    const made = createCheckpoint(await makeTensors(opened, options), {}, "gates");
    return { plan: planMixture(opened, made), close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
