// Lists the licenses of packages whose code is taken into a bundle, which must go with it.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { toPosix } from "./package-entries.mjs";

/** Folder of a package that is installed, at the beginning of the path of one of its files. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * Returns names, versions and licenses of the packages that files belong to; empty if all files are of this repository.
 * @param files - paths of the files of a bundle
 * @throws Error if a package does not hold the text of its license, which must be given on
 */
export function listLicenses(files) {
  const folders = files.flatMap((path) => PACKAGE.exec(toPosix(resolve(path)))?.[0] ?? []);
  return [...new Set(folders)].sort().map(describeLicense).join("\n");
}

function describeLicense(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder).filter((file) => /^licen[cs]e/i.test(file));
  if (texts.length === 0)
    throw new Error(
      `Cannot bundle ${name} as ${folder} must hold its license: it has none; make it a dependency`,
    );
  const text = texts.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
  return `${name} ${version} (${license})\n\n${text}\n`;
}
