import { unconfineFiles } from "@isthmus/core";
import { createRequire, dirname, join, process } from "@isthmus/platform";

/**
 * Finds the folder of an installed npm package, resolved from the working directory or else from this
 * package; undefined if the package is not installed.
 */
export function resolvePackage(name: string): string | undefined {
  return findPackage(name, nearby()) ?? findPackage(name, import.meta.url);
}

/**
 * Reads an npm package of data. A package that is installed beside this one may always be read, even by a
 * task that may not open files outside a storage; this does not hold for a package in the working folder,
 * which may not be trusted.
 * @returns the result of `read`; undefined if the package is not installed
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

/** Returns the path from which packages are resolved first: one in the working directory. */
const nearby = (): string => join(process.cwd(), "package.json");

function findPackage(name: string, origin: string): string | undefined {
  try {
    return dirname(createRequire(origin).resolve(`${name}/package.json`));
  } catch {
    // The package is not installed there, or hides its package.json, which packages of data do not.
    return undefined;
  }
}
