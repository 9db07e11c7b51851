import {
  basename,
  delay,
  dirname,
  encodeUtf8,
  isMarkAlive,
  join,
  open,
  processMark,
  rm,
} from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { readTextFile } from "./read-file.ts";
import { reasonOf } from "./system-error.ts";

/** Number of attempts to take a lock that another process releases, or leaves behind, at the same moment. */
const ATTEMPTS = 3;

/**
 * Longest time between creating a lock and writing its owner
 * into it, in milliseconds; usually it takes microseconds.
 */
const WRITING_MS = 200;

/** Returns the path of the hidden file beside `output` that locks it for some work. */
export function lockPathOf(output: string, work: string): string {
  return join(dirname(output), `.${basename(output)}.${work}.lock`);
}

/**
 * Creates a lock file, so that neither another process nor this one can begin the same work again. A lock of
 * a killed process does not count.
 * @param path - path of the lock file, whose folder must exist
 * @param subject - name of the locked work for messages
 * @param advice - end of the message if another process has the lock: what to do instead of waiting
 * @returns a function that releases the lock
 * @throws InputError if a running process has the lock, or the file cannot be written
 */
export async function takeLock(
  path: string,
  subject: string,
  advice = "choose another place",
): Promise<() => Promise<void>> {
  const taken = await tryLock(path);
  if (typeof taken === "function") return taken;
  throw busy(subject, taken, advice);
}

/** Options of {@link waitForLock}. */
export interface WaitForLockOptions {
  /** Signal that ends the waiting. */
  readonly signal: AbortSignal;
  /** Called each time that the lock is found taken, with words for the process that holds the lock. */
  readonly onWait: (who: string) => void;
}

/** Milliseconds between two looks at a lock that another process has. */
const LOOK_MS = 200;

/**
 * Creates a lock file as {@link takeLock} does; if a running process has the lock, waits until it is free.
 * @returns a function that releases the lock
 * @throws InputError if the file cannot be written
 */
export async function waitForLock(
  path: string,
  { signal, onWait }: WaitForLockOptions,
): Promise<() => Promise<void>> {
  for (;;) {
    signal.throwIfAborted();
    const taken = await tryLock(path);
    if (typeof taken === "function") return taken;
    onWait(taken);
    await delay(LOOK_MS);
  }
}

/** Takes a lock, and returns the function that releases it, or words for the process that holds it. */
async function tryLock(path: string): Promise<(() => Promise<void>) | string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path)) return () => rm(path, { force: true });
    const owner = await ownerOf(path);
    if (owner === undefined) continue;
    if (await isMarkAlive(owner)) return owner === processMark() ? "this process is" : nameOf(owner);
    await removeLeft(path, owner);
  }
  return "another one has just begun";
}

/** Removes the lock of a killed process, unless another process takes it at the same moment. */
export async function removeDeadLock(path: string): Promise<void> {
  const owner = await ownerOf(path);
  if (owner !== undefined && !(await isMarkAlive(owner))) await removeLeft(path, owner);
}

function nameOf(owner: string): string {
  return `process ${owner.split("-")[0]} is`;
}

function busy(subject: string, who: string, advice: string): InputError {
  return new InputError(
    `Cannot use "${subject}" as no other process may be at work there: ${who}; wait for its end, or ${advice}`,
    { input: subject },
  );
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      const mark = encodeUtf8(processMark());
      await file.write(mark, 0, mark.length, 0);
    } catch (error) {
      // A lock without an owner would block everybody.
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

/** Reads the mark of the process that owns a lock; undefined if the lock no longer exists. */
async function ownerOf(path: string): Promise<string | undefined> {
  for (let waited = 0; ; waited += WRITING_MS) {
    const text = await contentOf(path);
    if (text === undefined) return undefined;
    if (text !== "" || waited > 0) return /^\d+$/.test(text) ? `${text}-0` : text;
    await delay(WRITING_MS);
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
 * Removes the lock of a killed process. Only the process that creates the claim file beside it may do so:
 * without the claim, a slow process could remove the lock that a faster one has taken meanwhile. The claim of
 * a killed process is removed in the same way.
 */
async function removeLeft(path: string, owner: string, attempts = ATTEMPTS): Promise<void> {
  const claim = `${path}.${/^\d+-\d+$/.test(owner) ? owner : "unknown"}`;
  if (!(await create(claim))) {
    const claimant = await ownerOf(claim);
    if (claimant === undefined || (await isMarkAlive(claimant))) return;
    await removeLeft(claim, claimant);
    return attempts > 1 ? removeLeft(path, owner, attempts - 1) : undefined;
  }
  try {
    if ((await ownerOf(path)) === owner) await remove(path);
  } finally {
    await rm(claim, { force: true });
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw new InputError(`Cannot remove "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}
