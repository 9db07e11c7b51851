import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Computes a digest of all files below a folder, names included, but of none that says how long things took. */
export function digestTree(folder: string): string {
  const hash = createHash("sha256");
  for (const path of filesBelow(folder)) {
    if (path.endsWith("time.json") || path.endsWith("study.html") || path.endsWith(".lock")) continue;
    hash.update(relative(folder, path)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** Lists all files below a folder, in the order of their paths. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
