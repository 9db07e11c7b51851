import { createSurroundings, stat } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";

/** A model and the adapter that changes it, which users write as `model+adapter`. */
export interface AdaptedName {
  /** Path of the model, or its name on the Hugging Face hub, with its revision if one is named. */
  readonly model: string;
  /** Path of the adapter, or its name on the Hugging Face hub. */
  readonly adapter: string;
}

/** Opens a model with an adapter applied; packages above this one can read adapters. */
export type OpenAdapted = (name: AdaptedName) => Promise<Checkpoint>;

const openers = createSurroundings<OpenAdapted | undefined>();

/**
 * Calls a function in which `openCheckpoint` opens names of the form `model+adapter`, by a function that
 * applies adapters; this also holds for everything that the function calls and awaits.
 */
export function withAdapters<T>(open: OpenAdapted, act: () => T): T {
  return openers.run(open, act);
}

/** Returns the function that applies adapters in the work under way; undefined if there is none. */
export function currentAdapters(): OpenAdapted | undefined {
  return openers.getStore();
}

/** Splits `model+adapter` at its first plus sign; undefined if a part would be empty. */
export function splitAtPlus(path: string): AdaptedName | undefined {
  return splitsOf(path)[0];
}

/**
 * Splits `model+adapter` into its parts. Names of files may have plus signs, too: a file or folder with the
 * whole name wins, then the first plus sign behind the name of a file or folder, then the first of all.
 * @returns undefined if the path names no adapter
 */
export async function splitAdaptedName(path: string): Promise<AdaptedName | undefined> {
  const splits = splitsOf(path);
  if (splits.length === 0 || (await exists(path))) return undefined;
  for (const split of splits) if (await exists(split.model)) return split;
  return splits[0];
}

/** Lists all splits of a path at plus signs; few, as a hostile name would take many questions to the disk. */
function splitsOf(path: string): readonly AdaptedName[] {
  const parts = path.split("+", 32);
  return parts.slice(1).flatMap((_, i) => {
    const model = parts.slice(0, i + 1).join("+");
    const adapter = path.slice(model.length + 1);
    return model === "" || adapter === "" ? [] : [{ model, adapter }];
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
