import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createFolder, lockPathOf, removeFolders, takeLock } from "@isthmus/core";

/** Work that keeps its state in a file. */
interface LockedWork {
  /** Path of the state. */
  readonly state: string;
  /** The output that the user named, for messages. */
  readonly output: string;
  /** Whether the work shall go on from its state. @defaultValue false */
  readonly resume?: boolean | undefined;
  /** Shows a sentence to the user; needed to say that there is no state to go on from. */
  readonly note?: ((text: string) => void) | undefined;
}

/**
 * Runs work that keeps its state in a file, as the only process: two trainings with one output would
 * overwrite each other's state. The folder of the state is created if it is missing, and removed if the work
 * fails before it has written a file. Work that shall go on, and has no state, begins anew, which is said.
 * @throws InputError if another process works on the same output
 */
export async function withTrainingLock<T>(
  { state, output, resume = false, note }: LockedWork,
  work: () => Promise<T>,
): Promise<T> {
  const created = await createFolder(dirname(state));
  try {
    const giveBack = await takeLock(lockPathOf(state, "training"), output);
    try {
      if (resume && !existsSync(state)) note?.(`There is no state "${state}": the work begins anew.`);
      return await work();
    } finally {
      await giveBack();
    }
  } catch (error) {
    await removeFolders(created);
    throw error;
  }
}
