import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A package that is installed. */
export interface InstalledPackage {
  /** Its folder. */
  readonly folder: string;
  readonly version: string;
}

/** Finds the package that an import of its name means in a folder; undefined if none is installed there. */
export function findPackage(name: string, folder: string): InstalledPackage | undefined {
  for (let place = folder; ; place = dirname(place)) {
    const found = readPackage(join(place, "node_modules", name));
    if (found !== undefined || place === dirname(place)) return found;
  }
}

function readPackage(folder: string): InstalledPackage | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { folder, version: String(version) };
  } catch {
    // No package of this name is installed here; an import would look further up, too.
    return undefined;
  }
}
