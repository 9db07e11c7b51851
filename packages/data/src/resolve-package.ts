import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Finds the folder of an installed npm package, as seen from the working directory, else from this package;
 * undefined where it is not installed.
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
