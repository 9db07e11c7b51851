// Finds the entries of the calling package: sources whose built files keep their paths, as something outside their
// package loads them: what package.json exports and bin/ imports, scripts of threads and processes, and sources that say
// where they are (import.meta.url), as threads load these by that address.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";

/** Folder of the package's sources. */
export const SOURCES = resolve("src");
/** What a source says to be found by its address; joined, as bundles of tools replace these words in the text of sources. */
export const WHERE = ["import", "meta", "url"].join(".");

/** Texts of the package's sources by path under src/, without tests. */
function readSources() {
  const paths = readdirSync(SOURCES, { recursive: true })
    .map(toPosix)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  return new Map(paths.map((path) => [path, readFileSync(join(SOURCES, path), "utf8")]));
}

/** Lists the entries as paths under src/. */
export function findEntries() {
  const sources = readSources();
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const paths = Object.values(exports)
    .flatMap((entry) => targetsOf(entry["@isthmus/source"]))
    .map((path) => posix.relative("src", path));
  for (const name of existsSync("bin") ? readdirSync("bin") : []) {
    const text = readFileSync(join("bin", name), "utf8");
    for (const [, path] of text.matchAll(/"\.\.\/dist\/([^"]+)\.js"/g)) paths.push(`${path}.ts`);
  }
  for (const [path, text] of sources) {
    if (text.includes(WHERE)) paths.push(path);
    // Imports name sources: a name that ends in .js is the address of a script, as it is built.
    for (const [, script] of text.matchAll(/"(\.\.?\/[^"]+)\.js"/g)) {
      const source = `${posix.join(posix.dirname(path), script)}.ts`;
      if (sources.has(source)) paths.push(source);
    }
  }
  return [...new Set(paths)];
}

/** The files to which an export leads: one, or one for browsers and one for all others. */
export function targetsOf(target) {
  return typeof target === "object" ? Object.values(target) : [target];
}

/** Writes a path with slashes, on any system. */
export function toPosix(path) {
  return path.replaceAll("\\", "/");
}
