import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError, isProcessAlive } from "@isthmus/core";

const LOCK_FILE = ".lock";

/**
 * Takes a folder for this process. What a process left that was killed does not count.
 * @returns gives it back
 * @throws InputError if a process that is alive has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  if (await take(path)) return () => rm(path, { force: true });
  const owner = Number(await readFile(path, "utf8").catch(() => ""));
  if (owner !== process.pid && isProcessAlive(owner)) {
    throw new InputError(
      `Cannot use "${folder}" as no other process may be at work there: process ${owner} is; wait for its end, or choose another folder`,
      { input: folder },
    );
  }
  await rm(path, { force: true });
  if (await take(path)) return () => rm(path, { force: true });
  throw new InputError(
    `Cannot use "${folder}" as no other process may be at work there: one has just begun`,
    {
      input: folder,
    },
  );
}

async function take(path: string): Promise<boolean> {
  const file = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return undefined;
    throw new InputError(`Cannot write "${path}" as its folder must be writable: ${error.message}`, {
      input: path,
      cause: error,
    });
  });
  if (file === undefined) return false;
  await file.write(String(process.pid));
  await file.close();
  return true;
}
