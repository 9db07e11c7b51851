import { type Checkpoint, InputError, InvariantError, openCheckpoint, resolveModelPath } from "@isthmus/core";
import { type Adapter, applyAdapter, isAdapter, openAdapter } from "@isthmus/merging";
import { stat } from "@isthmus/platform";
import { isRecipe, type ModelReference } from "../recipe/recipe.ts";

/** Parts of a reference to a model. */
export interface ReferenceParts {
  /** Path of the file or folder, or name on the Hugging Face hub. */
  readonly path: string;
  /** Revision of the model on the hub; undefined if the reference names none. */
  readonly revision: string | undefined;
  /** Path of a LoRA adapter; undefined if the reference names none. */
  readonly lora: string | undefined;
}

/**
 * Opens the network of a reference: a file, a folder or a name in the cache of the Hugging Face hub, in any
 * format that `openCheckpoint` reads, with its LoRA adapter, which is applied whenever a tensor is read.
 * @throws InputError if the network or the adapter cannot be opened
 * @throws MismatchError if the adapter does not fit the network
 */
export async function openReference(reference: ModelReference): Promise<Checkpoint> {
  const { path, revision, lora } = await splitReference(reference);
  await assertNoAdapter(path);
  const network = await openCheckpoint(revision === undefined ? path : `${path}@${revision}`);
  if (lora === undefined) return network;
  let adapter: Adapter | undefined;
  try {
    const opened = await openAdapter(await resolveModelPath(lora));
    adapter = opened;
    const adapted = applyAdapter(network, opened);
    const close = async () => {
      await opened.close();
      await network.close();
    };
    return { ...adapted, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await adapter?.close();
    await network.close();
    throw error;
  }
}

/** @throws InputError if a path is an adapter, which is not a network by itself */
async function assertNoAdapter(path: string): Promise<void> {
  if (!(await isAdapter(path))) return;
  throw new InputError(
    `Cannot open "${path}" as a network as it is an adapter, which changes one, and its factors mean nothing by themselves: write it behind its base, as base+${path}, or merge adapters alone with each other`,
    { input: path },
  );
}

/** Splits `path@revision+lora` into its parts. If a file or folder has the whole name, it is not split. */
export async function splitReference(reference: ModelReference): Promise<ReferenceParts> {
  if (isRecipe(reference)) throw new InvariantError("A recipe names no file");
  if (typeof reference !== "string") {
    const { model, lora } = reference;
    const place = typeof model === "string" ? await splitReference(model) : model;
    return { path: place.path, revision: place.revision, lora: typeof lora === "object" ? lora.path : lora };
  }
  if ((await stat(reference).catch(() => undefined)) !== undefined)
    return { path: reference, revision: undefined, lora: undefined };
  return splitName(reference);
}

/** Splits `path@revision+lora` into its parts, without checking for a file with the whole name. */
export function splitName(reference: string): ReferenceParts {
  const [, path = reference, revision, lora] = /^([^@+]+)(?:@([^+]+))?(?:\+(.+))?$/.exec(reference) ?? [];
  return { path, revision, lora };
}
