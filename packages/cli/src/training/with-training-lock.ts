import { dirname } from "node:path";
import { createFolder, lockPathOf, removeFolders, takeLock } from "@isthmus/core";

/**
 * Runs work that keeps its state in a file, as the only process: two trainings with one output would
 * overwrite each other's state. The folder of the state is created if it is missing, and removed if the work
 * fails before it has written a file.
 * @param state - path of the state
 * @param output - the output that the user named, for messages
 * @throws InputError if another process works on the same output
 */
export async function withTrainingLock<T>(
  { state, output }: { readonly state: string; readonly output: string },
  work: () => Promise<T>,
): Promise<T> {
  const created = await createFolder(dirname(state));
  try {
    const giveBack = await takeLock(lockPathOf(state, "training"), output);
    try {
      return await work();
    } finally {
      await giveBack();
    }
  } catch (error) {
    await removeFolders(created);
    throw error;
  }
}
