import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Returns the path of an npm package that is installed beside this one; undefined if it is not. */
export function pathOfInstalled(name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** Checks whether an npm package is installed beside this one. */
export function isInstalled(name: string): boolean {
  return pathOfInstalled(name) !== undefined;
}

/** Loads an installed package at once, which an import would not. */
export function loadInstalled(name: string): unknown {
  return require(name);
}
