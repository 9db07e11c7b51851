import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Checks whether an npm package is installed beside this one. */
export function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Loads an installed package at once, which an import would not. */
export function loadInstalled(name: string): unknown {
  return require(name);
}
