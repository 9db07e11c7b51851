import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Finds the folder of an installed npm package, seen from the working directory or else from this package;
 * undefined if it is not installed.
 */
export function resolvePackage(name: string): string | undefined {
  for (const origin of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return dirname(createRequire(origin).resolve(`${name}/package.json`));
    } catch {
      // Not installed there, or it hides its package.json, which the packages of data do not.
    }
  }
  return undefined;
}
