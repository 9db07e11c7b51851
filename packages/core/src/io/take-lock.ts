import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { InputError } from "../errors.ts";
import { isMarkAlive, processMark } from "./process-mark.ts";
import { readTextFile } from "./read-file.ts";
import { reasonOf } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** Tries at taking a lock that others give back, or leave behind, in the same moment. */
const ATTEMPTS = 3;

/**
 * Time between making a lock and writing into it who has it, in milliseconds; in truth it takes microseconds.
 */
const WRITING_MS = 200;

/** Gives the path of the file that says that `output` is being worked on: beside it and hidden. */
export function lockPathOf(output: string, work: string): string {
  return join(dirname(output), `.${basename(output)}.${work}.lock`);
}

/**
 * Makes a lock file, so that no other process, nor this one again, begins the same work. A lock that a killed
 * process left does not count.
 * @param path - of the lock file, whose folder must be there
 * @param subject - what is locked, for messages
 * @returns gives the lock back
 * @throws InputError if a running process has the lock, or the file cannot be written
 */
export async function takeLock(path: string, subject: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path)) return () => rm(path, { force: true });
    const owner = await ownerOf(path);
    if (owner === undefined) continue;
    if (isMarkAlive(owner)) throw busy(subject, owner === processMark() ? "this process is" : nameOf(owner));
    await removeLeft(path, owner, attempt);
  }
  throw busy(subject, "another one has just begun");
}

/** Removes the lock that a killed process left, where there is one and nobody takes it. */
export async function removeDeadLock(path: string): Promise<void> {
  const owner = await ownerOf(path);
  if (owner !== undefined && !isMarkAlive(owner)) await removeLeft(path, owner, 0);
}

function nameOf(owner: string): string {
  return `process ${owner.split("-")[0]} is`;
}

function busy(subject: string, who: string): InputError {
  return new InputError(
    `Cannot use "${subject}" as no other process may be at work there: ${who}; wait for its end, or choose another place`,
    { input: subject },
  );
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.write(processMark());
    } catch (error) {
      // A lock that says nothing would be in everybody's way.
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    const reason = reasonOf(error, "its folder must exist: there is none");
    throw new InputError(`Cannot write "${path}" as ${reason}`, { input: path, cause: error });
  }
}

/** Mark of the process that has a lock; undefined if the lock is gone again. */
async function ownerOf(path: string): Promise<string | undefined> {
  for (let waited = 0; ; waited += WRITING_MS) {
    const text = await contentOf(path);
    if (text === undefined) return undefined;
    if (text !== "" || waited > 0) return /^\d+$/.test(text) ? `${text}-0` : text;
    await setTimeout(WRITING_MS);
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await readTextFile(path)).trim();
  } catch (error) {
    if (((error as InputError).cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT")
      return undefined;
    throw error;
  }
}

/**
 * Removes what a killed process left. It is moved aside first: if another process was faster and the lock is
 * its own by now, it is put back.
 */
async function removeLeft(path: string, owner: string, attempt: number): Promise<void> {
  const aside = temporaryName(path, attempt);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new InputError(`Cannot remove "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
  if ((await ownerOf(aside)) === owner) await rm(aside, { force: true });
  else await rename(aside, path);
}
