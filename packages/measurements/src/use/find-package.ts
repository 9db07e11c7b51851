import { createRequire, dirname, join } from "@isthmus/platform";

/** A package that is installed. */
export interface InstalledPackage {
  /** Folder of the package. */
  readonly folder: string;
  /** Version in the package's manifest. */
  readonly version: string;
}

/** Finds the package that a module in a folder imports by a name; undefined if none is installed. */
export function findPackage(name: string, folder: string): InstalledPackage | undefined {
  const installed = readManifest(join(folder, "node_modules", name));
  const above = dirname(folder);
  return installed ?? (above === folder ? undefined : findPackage(name, above));
}

function readManifest(folder: string): InstalledPackage | undefined {
  try {
    const { version } = createRequire(import.meta.url)(join(folder, "package.json"));
    return { folder, version: String(version) };
  } catch {
    // No package of this name is installed here; an import would look further up, too.
    return undefined;
  }
}
