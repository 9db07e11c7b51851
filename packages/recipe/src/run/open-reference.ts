import { stat } from "node:fs/promises";
import { type Checkpoint, InvariantError, openCheckpoint, UnsupportedError } from "@isthmus/core";
import { isRecipe, type ModelReference } from "../recipe/recipe.ts";

/** A reference to a model in its parts. */
export interface ReferenceParts {
  readonly path: string;
  readonly revision: string | undefined;
  /** Path of a LoRA adapter. */
  readonly lora: string | undefined;
}

/**
 * Opens the network of a reference: a file, or a folder, in any format that `openCheckpoint` reads.
 * @throws UnsupportedError if it has a revision or an adapter
 */
export async function openReference(reference: ModelReference): Promise<Checkpoint> {
  const { path, revision, lora } = await splitReference(reference);
  if (lora !== undefined) throw unsupported(path, "adapter", `add "${lora}" to the model before`);
  if (revision !== undefined) throw unsupported(path, "revision", "download it, and name its folder");
  return openCheckpoint(path);
}

function unsupported(path: string, feature: string, advice: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot open "${path}" with its ${feature} as only files and folders are opened: ${advice}`,
    { feature },
  );
}

/** Splits `path@revision+lora` into its parts; a file or folder of the whole name comes first. */
export async function splitReference(reference: ModelReference): Promise<ReferenceParts> {
  if (isRecipe(reference)) throw new InvariantError("A recipe names no file");
  if (typeof reference !== "string") {
    const { model, lora } = reference;
    const place = typeof model === "string" ? await splitReference(model) : model;
    return { path: place.path, revision: place.revision, lora: typeof lora === "object" ? lora.path : lora };
  }
  if ((await stat(reference).catch(() => undefined)) !== undefined)
    return { path: reference, revision: undefined, lora: undefined };
  const [, path = reference, revision, lora] = /^([^@+]+)(?:@([^+]+))?(?:\+(.+))?$/.exec(reference) ?? [];
  return { path, revision, lora };
}
