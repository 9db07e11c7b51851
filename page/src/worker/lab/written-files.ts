import { UsageError } from "@isthmus/core";
import { join, mkdir, readdir, rm, stat } from "@isthmus/platform";
import { mountStorage } from "@isthmus/platform/browser";
import type { WrittenFile } from "./lab-requests.ts";

/** Folder of the virtual machine that holds the page's storage. */
const STORAGE = "/written-by-this-page";

/** Opens the page's storage, and removes what closed pages left unfinished; without a storage, files are kept in memory. */
export async function openStorage(): Promise<void> {
  try {
    await mountStorage(STORAGE);
  } catch {
    await mkdir(STORAGE, { recursive: true });
  }
}

/**
 * Returns the path of a file to write.
 * @throws UsageError if its name is none of a safetensors file
 */
export function writtenPath(name: string): string {
  if (/^[^/\\\0.][^/\\\0]*\.safetensors$/.test(name)) return join(STORAGE, name);
  throw new UsageError(
    `Cannot write "${name}" as the name of the result must end in .safetensors, and have no folders: name it merged.safetensors`,
  );
}

/** Describes a file that was written. */
export async function writtenFile(name: string): Promise<WrittenFile> {
  const { size } = await stat(writtenPath(name));
  return { name, bytes: size };
}

/** Lists the finished files of this visit and of earlier ones. */
export async function listWritten(): Promise<WrittenFile[]> {
  const names = (await readdir(STORAGE)).filter(
    (name) => name.endsWith(".safetensors") && !name.startsWith("."),
  );
  return Promise.all(names.sort().map(writtenFile));
}

/** Removes a file that was written. */
export async function discard(name: string): Promise<undefined> {
  await rm(writtenPath(name), { force: true });
}
