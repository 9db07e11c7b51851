// Says whose work is installed with packages of this repository, and under which licenses.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

const HEAD = `Isthmus
Copyright 2026 The Isthmus authors

Licensed under the Apache License, Version 2.0: see LICENSE.
`;

const INSTALLED = `
The packages below, of other authors, are installed from the npm registry beside this software. Each is under its own
license, whose text is in the package. So are those whose code a package of this software has taken in, which its file
dist/THIRD-PARTY-LICENSES.txt lists, and onnxruntime, copyright (c) Microsoft Corporation, under the MIT license, which
packages called @isthmus/onnxruntime-* bring, with notices of their own.
`;

const DATA = `
The networks in examples/ were trained on MNIST, whose copyright Yann LeCun and Corinna Cortes hold and which is made
available under the Creative Commons Attribution-ShareAlike 3.0 license, and on Fashion-MNIST, copyright 2017 Zalando
SE, under the MIT license. Neither is part of this software.
`;

const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

/** Writes the notice of packages of this repository, by the licenses of what they install. */
export function noticeOf(names, { data = false } = {}) {
  const lines = new Map();
  for (const [name, path] of [...listInstalled(names)].sort()) {
    const { license } = locked[path];
    const holders = copyrightsOf(path).map((holder) => `\n    ${holder}`);
    lines.set(license, [...(lines.get(license) ?? []), `  ${name}${holders.join("")}`]);
  }
  const groups = [...lines].sort().map(([license, group]) => `\n${license}\n\n${group.join("\n")}\n`);
  return `${HEAD}${groups.length === 0 ? "" : INSTALLED}${groups.join("")}${data ? DATA : ""}`;
}

/** Lists the packages of others that packages of this repository need, each with its place in the lock file. */
function listInstalled(names) {
  const found = new Map();
  const waiting = names.map((name) => `packages/${name}`);
  const seen = new Set(waiting);
  for (const path of waiting) {
    for (const dependency of Object.keys(locked[path].dependencies ?? {})) {
      const place = findInstalled(path, dependency);
      if (seen.has(place)) continue;
      seen.add(place);
      waiting.push(place);
      if (!place.startsWith("packages/")) found.set(dependency, place);
    }
  }
  return found;
}

/** Finds where a dependency of a package is installed: in its own folder, or in one above it. */
function findInstalled(path, dependency) {
  const place = `${path === "" ? "" : `${path}/`}node_modules/${dependency}`;
  const { link, resolved } = locked[place] ?? {};
  if (link) return resolved;
  if (place in locked) return place;
  if (path === "") throw new Error(`Cannot write a notice as package-lock.json must have ${dependency}`);
  const above = path.lastIndexOf("/node_modules/");
  return findInstalled(above < 0 ? "" : path.slice(0, above), dependency);
}

/** Returns the lines that name the holders of copyrights, or the author if the license names none. */
function copyrightsOf(path) {
  const folder = join(root, path);
  const licenses = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const lines = licenses.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
  const holders = lines
    .map((line) => line.trim())
    .filter((line) => /^copyright\s+(\(c\)|©|\d|by\s)/i.test(line));
  if (holders.length > 0) return [...new Set(holders)];
  const manifest = join(folder, "package.json");
  const { author } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  const { name = author } = Object(author);
  return typeof name === "string" ? [`by ${name}`] : [];
}
