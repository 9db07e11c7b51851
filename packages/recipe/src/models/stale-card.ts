import { readTextFile } from "@isthmus/core";
import { join, stat, unlink } from "@isthmus/platform";
import { type CardText, splitCard } from "./card-text.ts";
import { formatCode, MADE_WITH } from "./model-card.ts";

/** Fields in the front matter of the card of a merge; others show that a user changed the card. */
const FIELDS: ReadonlySet<string> = new Set(["base_model", "base_model_relation", "library_name", "tags"]);

/**
 * Removes the model card and the recipe that an earlier merge by a recipe wrote into a folder, once the
 * folder has other weights, of which they would say what is not true. A card that a user wrote or changed
 * stays, and so does a recipe that is not the recipe of the card.
 * @param folder - folder of the new weights; nothing is done if it is a file, or is not there
 * @returns a note for the user if a changed card of an earlier merge stays; else undefined
 */
export async function removeStaleCard(folder: string): Promise<string | undefined> {
  const paths = { card: join(folder, "README.md"), recipe: join(folder, "recipe.yml") };
  const text = await textOf(paths.card);
  if (text === undefined || !text.includes(MADE_WITH)) return undefined;
  if (!isUnchanged(text)) {
    return `"${paths.card}" stays, as it is not only what Isthmus wrote: it describes an earlier merge`;
  }
  const recipe = await textOf(paths.recipe);
  await unlink(paths.card);
  if (recipe !== undefined && text.endsWith(`\n${formatCode(recipe)}\n`)) await unlink(paths.recipe);
  return undefined;
}

/** Checks whether a card has the parts that a merge writes, and nothing else. */
function isUnchanged(text: string): boolean {
  const card = split(text);
  if (card === undefined || Object.keys(card.front).some((field) => !FIELDS.has(field))) return false;
  const [opening = "", ...sections] = card.body.split("\n\n## Recipe\n\n");
  const parts = opening.replace(/^\n+/, "").trimEnd().split("\n\n");
  const [heading = "", sentence = "", table = "", notes = "- ", ...others] = parts;
  const isOpening = heading.startsWith("# ") && sentence.endsWith(MADE_WITH) && others.length === 0;
  const areLines = (part: string, start: string) => part.split("\n").every((line) => line.startsWith(start));
  const isRecipe = sections.every((section) => /^(`{3,})yaml\n[\s\S]*\n\1\n$/.test(section));
  return isOpening && areLines(table, "| ") && areLines(notes, "- ") && sections.length < 2 && isRecipe;
}

function split(text: string): CardText | undefined {
  try {
    return splitCard(text, "README.md");
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true ? readTextFile(path).catch(() => undefined) : undefined;
}
