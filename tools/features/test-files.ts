// Reads the tests of the repository.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "../packages.mjs";

/** A file of tests. */
export interface TestFile {
  /** Path from the root. */
  readonly path: string;
  readonly text: string;
}

/** Reads all files of tests, sorted by path. */
export function readTestFiles(): TestFile[] {
  const folders = ["test", ...packageNames.map((name) => `packages/${name}/src`)];
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((path) => path.endsWith(".test.ts"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}
