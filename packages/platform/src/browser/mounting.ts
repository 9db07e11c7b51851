import { addStorage, memory, readdir, rm, storageOf, unlink } from "./files.ts";
import { basename, join, namesOf, resolve } from "./paths.ts";
import { listOthers, showLife } from "./process-mark.ts";
import { webNavigator } from "./web.ts";

/**
 * Adds a file that the person has chosen to the virtual folder, under an absolute path. Only the parts of it
 * that are needed are read, when they are needed.
 * @throws Error if the path is not absolute, has `..` in it, or is taken
 */
export function mountFile(path: string, content: Blob): void {
  const names = path.split("/").slice(1);
  const isPlain = names.every((name) => name !== "" && name !== "." && name !== ".." && !name.includes("\0"));
  if (!path.startsWith("/") || !isPlain) {
    throw new Error(
      `Cannot mount "${path}" as its path must begin with "/" and have plain names: give it one such as "/${namesOf(path).at(-1) ?? "model.safetensors"}"`,
    );
  }
  if (storageOf(path) !== undefined)
    throw new Error(`Cannot mount "${path}" as it must lie outside of the storage: choose another folder`);
  try {
    memory.mount(path, content);
  } catch (cause) {
    throw new Error(
      `Cannot mount "${path}" as its path must be free: something is there already; unmount it first, or choose another folder`,
      { cause },
    );
  }
}

/** Removes a mounted file, or one in memory, from the virtual folder; the person's file stays. */
export async function unmountFile(path: string): Promise<void> {
  await unlink(path);
}

/**
 * Returns a written file for the person to keep. One of the storage is not read into memory.
 * @throws Error if there is no such file
 */
export async function outputFile(path: string): Promise<File> {
  const whole = resolve(path);
  const content = (await storageOf(whole)?.content(whole)) ?? memory.content(whole);
  return content instanceof File ? content : new File([content], basename(whole));
}

/**
 * Keeps what is written below a folder in the storage of the page (OPFS), which holds more than memory and
 * stays after the page is closed. Call it once, in the worker that computes. Unfinished files that closed
 * pages left there are removed, unless another page is at work.
 * @throws Error if the browser has no such storage
 */
export async function mountStorage(folder: string): Promise<void> {
  const root = await webNavigator().storage.getDirectory();
  await showLife();
  await addStorage(resolve(folder), root);
  if ((await listOthers()).length === 0) await removeUnfinished(resolve(folder));
}

/** Removes hidden files and folders, in which work under way is. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) await rm(path, { recursive: true, force: true });
    else if (entry.isDirectory()) await removeUnfinished(path);
  }
}
