// Packs every package as npm would publish it, once for all that look at the tarballs: the check of what is published, and the
// tests that install it.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, relative } from "node:path";
import { packageNames, readManifest, root } from "./packages.mjs";
import { runNpm } from "./programs.mjs";

const CACHE = join(root, "node_modules", ".cache", "tarballs");

/** How long tarballs of other files are kept, in milliseconds: whoever runs at the same time may still read them. */
const KEPT = 3_600_000;

/**
 * Packs all packages, unless the same files were packed before.
 * @returns the folder of the tarballs, which others read, too
 */
export function packPackages() {
  const packed = join(CACHE, digestFiles());
  if (existsSync(packed)) return packed;
  mkdirSync(CACHE, { recursive: true });
  for (const path of readdirSync(CACHE).map((name) => join(CACHE, name)))
    if (Date.now() - statSync(path).mtimeMs > KEPT) rmSync(path, { recursive: true });
  const made = mkdtempSync(join(CACHE, "packing-"));
  const packing = ["pack", "--workspaces", "--silent", "--pack-destination", made];
  runNpm(packing, { stdio: ["ignore", "ignore", "inherit"] });
  // Packing removes what earlier builds left in dist/, so the digest is of the files after it.
  const folder = join(CACHE, digestFiles());
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  renameSync(made, folder);
  return folder;
}

/** Digest of all files that packages publish, by their paths and bytes. */
function digestFiles() {
  const hash = createHash("sha256");
  const add = (path) => {
    const bytes = readFileSync(path);
    hash.update(`${relative(root, path)}\0${bytes.length}\0`).update(bytes);
  };
  for (const name of ["LICENSE", "NOTICE"]) add(join(root, name));
  for (const name of packageNames) {
    const folder = join(root, "packages", name);
    const published = readManifest(name).files.filter((pattern) => !pattern.startsWith("!"));
    for (const path of ["package.json", "README.md", ...published].map((part) => join(folder, part)))
      for (const file of listFiles(path)) add(file);
  }
  return hash.digest("hex");
}

/** The file itself, or all files under a folder, sorted; none if there is nothing. */
function listFiles(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
