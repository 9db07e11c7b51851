// Makes an unpacked tarball of a package what is published of it: without what only this repository needs, which is two thirds of the
// bytes: sources and their maps, as built files are legible, and declarations that no entry leads to.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { toPosix } from "./package-entries.mjs";
import { runtimeDependencies } from "./runtime-packages/make.mjs";

/** Condition of exports under which this repository finds sources. */
const SOURCE = "@isthmus/source";

/** Package that runs graphs, which asks for onnxruntime. */
const ENGINE = "@isthmus/engine";

/** Removes from an unpacked package what users do not need, and writes its package.json as they read it. */
export function slimPackage(folder) {
  const manifest = publishedManifest(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  rmSync(join(folder, "src"), { recursive: true, force: true });
  const reached = new Set();
  for (const { types } of Object.values(manifest.exports))
    if (types) follow(folder, posix.normalize(types), reached);
  const dist = join(folder, "dist");
  for (const path of readdirSync(dist, { recursive: true }).map(toPosix)) {
    if (path.endsWith(".map")) rmSync(join(dist, path));
    else if (path.endsWith(".d.ts") && !reached.has(`dist/${path}`)) rmSync(join(dist, path));
    else if (/\.(js|ts)$/.test(path)) withoutMap(join(dist, path));
  }
}

/**
 * Returns a package.json as it is published. Libraries of onnxruntime are asked for only there: a lockfile of this repository
 * could not hold packages that it makes itself, and npm ci refuses one without them.
 */
export function publishedManifest({ devDependencies, scripts, ...manifest }) {
  const exports = Object.entries(manifest.exports).map(([path, { [SOURCE]: _, ...targets }]) => [
    path,
    targets,
  ]);
  return {
    ...manifest,
    exports: Object.fromEntries(exports),
    files: manifest.files.filter((pattern) => !/^!?src\b/.test(pattern)),
    ...(manifest.name === ENGINE && { optionalDependencies: runtimeDependencies() }),
  };
}

/** Notes a declaration and those of this package that it names. */
function follow(folder, path, reached) {
  if (reached.has(path) || !existsSync(join(folder, path))) return;
  reached.add(path);
  for (const [, imported] of readFileSync(join(folder, path), "utf8").matchAll(/"(\.\.?\/[^"]+)\.[jt]s"/g))
    follow(folder, posix.join(posix.dirname(path), `${imported}.d.ts`), reached);
}

/** Removes the line that names the map of a file. */
function withoutMap(path) {
  const text = readFileSync(path, "utf8");
  const slim = text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n");
  if (slim !== text) writeFileSync(path, slim);
}
