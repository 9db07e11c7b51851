import {
  type Checkpoint,
  currentAdapters,
  InputError,
  InvariantError,
  openCheckpoint,
  splitAdapters,
} from "@isthmus/core";
import { isAdapter, openAdapted } from "@isthmus/merging";
import { stat } from "@isthmus/platform";
import { isRecipe, type ModelReference } from "../recipe/recipe.ts";

/** Parts of a reference to a model. */
export interface ReferenceParts {
  /** Path of the file or folder, or name on the Hugging Face hub. */
  readonly path: string;
  /** Revision of the model on the hub; undefined if the reference names none. */
  readonly revision: string | undefined;
  /** Paths of the adapters that are applied, in this order; empty if the reference names none. */
  readonly adapters: readonly string[];
}

/**
 * Opens the network of a reference: a file, a folder or a name in the cache of the Hugging Face hub, in any
 * format that `openCheckpoint` reads, with its adapters, which are applied whenever a tensor is read.
 * @throws InputError if the network or the adapter cannot be opened
 * @throws MismatchError if the adapter does not fit the network
 */
export async function openReference(reference: ModelReference): Promise<Checkpoint> {
  const { path, revision, adapters } = await splitReference(reference);
  await assertNoAdapter(path);
  const model = revision === undefined ? path : `${path}@${revision}`;
  const adapter = adapters.at(-1);
  if (adapter === undefined) return openCheckpoint(model);
  const before = [model, ...adapters.slice(0, -1)].join("+");
  return (currentAdapters() ?? openAdapted)({ model: before, adapter });
}

/** @throws InputError if a path is an adapter, which is not a network by itself */
async function assertNoAdapter(path: string): Promise<void> {
  if (!(await isAdapter(path))) return;
  throw new InputError(
    `Cannot open "${path}" as a network as it is an adapter, which changes one, and its factors mean nothing by themselves: write it behind its base, as base+${path}, or merge adapters alone with each other`,
    { input: path },
  );
}

/**
 * Splits `path@revision+lora` into its parts, of which there may be several adapters. If a file or folder has
 * the whole name, it is not split.
 */
export async function splitReference(reference: ModelReference): Promise<ReferenceParts> {
  if (isRecipe(reference)) throw new InvariantError("A recipe names no file");
  if (typeof reference !== "string") {
    const { model, lora } = reference;
    const place = typeof model === "string" ? await splitReference(model) : model;
    const adapter = typeof lora === "object" ? lora.path : lora;
    const before = "adapters" in place ? place.adapters : [];
    return {
      path: place.path,
      revision: place.revision,
      adapters: adapter === undefined ? before : [...before, adapter],
    };
  }
  const { model, adapters } = await splitAdapters(reference);
  const place = (await exists(model)) ? { path: model, revision: undefined } : splitRevision(model);
  return { ...place, adapters };
}

/**
 * Splits `path@revision+lora` at each plus sign, without checking for files: pieces of a name that has plus
 * signs of its own are parts, too.
 */
export function splitName(reference: string): ReferenceParts {
  const [model = reference, ...adapters] = reference.split("+");
  return { ...splitRevision(model), adapters };
}

function splitRevision(name: string): Pick<ReferenceParts, "path" | "revision"> {
  const [, path = name, revision] = /^([^@]+)@(.+)$/.exec(name) ?? [];
  return { path, revision };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
