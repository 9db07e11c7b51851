import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { unconfineFiles } from "@isthmus/core";

/**
 * Finds the folder of an installed npm package, seen from the working directory or else from this package;
 * undefined if it is not installed.
 */
export function resolvePackage(name: string): string | undefined {
  return findPackage(name, nearby()) ?? findPackage(name, import.meta.url);
}

/**
 * Reads an npm package of data. One that is installed beside this package is read wherever it lies, also for
 * a task that may open nothing outside a storage; one in the working folder is not, as others may have put
 * it there.
 * @returns what `read` returns; undefined if the package is not installed
 */
export async function readPackage<T>(
  name: string,
  read: (folder: string) => Promise<T>,
): Promise<T | undefined> {
  const beside = findPackage(name, import.meta.url);
  const near = findPackage(name, nearby());
  if (near !== undefined && near !== beside) return read(near);
  return beside === undefined ? undefined : unconfineFiles(() => read(beside));
}

/** Returns where packages are looked for first: whatever is in the working directory. */
const nearby = (): string => join(process.cwd(), "package.json");

function findPackage(name: string, origin: string): string | undefined {
  try {
    return dirname(createRequire(origin).resolve(`${name}/package.json`));
  } catch {
    // Not installed there, or it hides its package.json, which the packages of data do not.
    return undefined;
  }
}
