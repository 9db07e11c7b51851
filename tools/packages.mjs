// What the checkers share: the packages of this repository and the lines their findings are printed as.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Root folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The package.json of the repository, from which all others have the addresses of the project. */
export const rootManifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Address of the repository in a browser. */
export const sourceAddress = rootManifest.repository.url.replace(/^git\+|\.git$/g, "");

/** Names of packages, sorted: folders with a package.json, as builds leave a `dist` of packages that moved. */
export const packageNames = readdirSync(join(root, "packages"))
  .filter((name) => existsSync(join(root, "packages", name, "package.json")))
  .sort();

/** Reads the package.json of one package. */
export function readManifest(name) {
  return JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
}

/** Files under a folder of one package with the given ending, as paths from the root. */
export function sourceFiles(name, { folder = "src", ending = ".ts", tests = false } = {}) {
  const base = join(root, "packages", name, folder);
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .filter((entry) => tests || !entry.name.endsWith(`.test${ending}`))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Text of a source file without comments that take whole lines. */
export function codeOf(path) {
  return readFileSync(join(root, path), "utf8").replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, "");
}

/** Names of modules a source file imports, statically, dynamically or for types. */
export function importsOf(path) {
  const text = codeOf(path);
  const forms = [/\bfrom\s+"([^"]+)"/g, /\bimport\s+"([^"]+)"/g, /\bimport\(\s*"([^"]+)"/g];
  const names = forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1]));
  // In messages a word "from" may stand before a quoted value.
  return names.filter((name) => !name.includes("$"));
}

/** Prints findings and ends the process: 0 without any, else 1. */
export function report(checker, findings) {
  for (const finding of findings) console.error(`${checker}: ${finding}`);
  console.log(`${checker}: ${findings.length === 0 ? "passed" : `${findings.length} findings`}`);
  process.exit(findings.length === 0 ? 0 : 1);
}
