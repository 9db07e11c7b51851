import { type Checkpoint, openCheckpoint, parseJson } from "@isthmus/core";
import { encodeUtf8 } from "@isthmus/platform";
import { isRecord } from "./model-parts.ts";

/** Key of the metadata of weights that holds the record of their making. */
const KEY = "isthmus";

/**
 * Reads the record of how Isthmus made the weights in a folder, from their metadata. Only the header is read.
 * @returns undefined if the folder has no weights that can be opened; empty if their metadata have no record
 */
export async function readMakingRecord(
  folder: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  let weights: Checkpoint | undefined;
  try {
    weights = await openCheckpoint(folder);
    const value: unknown = parseJson(encodeUtf8(weights.metadata[KEY] ?? "null"), {
      attempt: `read the record in "${folder}"`,
    });
    return isRecord(value) ? value : {};
  } catch {
    // Weights that cannot be opened, and metadata of another program, say nothing of a merge.
    return weights && {};
  } finally {
    await weights?.close();
  }
}

/** Checks whether a recipe has the same content as the recipe in a record, whatever the order of its keys. */
export function isSameRecipe(recipe: unknown, recorded: unknown): boolean {
  return formatSorted(recipe) === formatSorted(recorded);
}

function formatSorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
