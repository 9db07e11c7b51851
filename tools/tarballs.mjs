// What the checks of tarballs share: which tarball is of which package, what is in it, and how large it may be.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { root } from "./packages.mjs";

const BUDGETS = JSON.parse(readFileSync(join(root, "tools", "size-budgets.json"), "utf8"));

/** Returns the name of the tarball that npm packs a package into. */
export function tarballOf({ name, version }) {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

/** Lists the files in a tarball, with their sizes in bytes. */
function listTarball(bytes) {
  const archive = gunzipSync(bytes);
  const text = (start, length) => archive.toString("latin1", start, start + length).replace(/\0.*$/s, "");
  const files = [];
  for (let place = 0; archive[place]; ) {
    const size = Number.parseInt(text(place + 124, 12), 8);
    files.push({ path: text(place, 100), size });
    place += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Measures a tarball: thousands of bytes packed and unpacked, and what it may have of both. */
export function measureTarball(folder, bytes) {
  const files = listTarball(bytes);
  const sum = files.reduce((total, { size }) => total + size, 0);
  return { files, packed: bytes.length / 1000, unpacked: sum / 1000, budget: BUDGETS[folder] };
}

/** Says what of a tarball is above its budget. */
export function* findExcess({ budget, ...sizes }) {
  if (budget === undefined) yield "has no budget: add one to tools/size-budgets.json";
  for (const [kind, most] of Object.entries(budget ?? {}))
    if (sizes[kind] > most)
      yield `takes ${Math.ceil(sizes[kind])} kB ${kind}, and may take ${most}: see what it ships, or raise tools/size-budgets.json`;
}
