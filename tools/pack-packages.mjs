// Packs every package as it is published, once for all that look at the tarballs: the check of what is published, and the tests
// that install it. These tarballs are published: the folders of packages hold more, and do not ask for onnxruntime.
import { execFileSync } from "node:child_process";
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
import { fileURLToPath } from "node:url";
import { packageNames, readManifest, root } from "./packages.mjs";
import { runNpm } from "./programs.mjs";
import { slimPackage } from "./slim-package.mjs";

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
  const whole = mkdtempSync(join(CACHE, "whole-"));
  const made = mkdtempSync(join(CACHE, "packing-"));
  npmPack(whole, "--workspaces");
  npmPack(made, "--ignore-scripts", ...readdirSync(whole).map((tarball) => unpackSlim(join(whole, tarball))));
  rmSync(whole, { recursive: true });
  // Packing removes what earlier builds left in dist/, so the digest is of the files after it.
  const folder = join(CACHE, digestFiles());
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  renameSync(made, folder);
  return folder;
}

function npmPack(destination, ...args) {
  runNpm(["pack", "--silent", "--pack-destination", destination, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Unpacks a tarball beside it, without what only this repository needs. @returns the folder */
function unpackSlim(tarball) {
  const folder = tarball.replace(/\.tgz$/, "");
  mkdirSync(folder);
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  slimPackage(folder);
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
  add(fileURLToPath(import.meta.resolve("./slim-package.mjs")));
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
