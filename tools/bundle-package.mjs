// Builds the sources of the calling package into few files under dist/, as a command that loads a thousand small
// ones starts three times slower. Declarations are written by tsc -b.
//
//   node ../../tools/bundle-package.mjs
//
// Entries keep their paths; what several of them share goes into dist/chunks. Entries are what package.json exports
// and bin/ imports, scripts of threads and processes, and sources that say where they are (import.meta.url), as
// threads load these by that address.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { build } from "esbuild";

const SOURCES = resolve("src");
const WHERE = "import.meta.url";

/** Texts of the package's sources by path under src/, without tests. */
function readSources() {
  const paths = readdirSync(SOURCES, { recursive: true })
    .map(toPosix)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  return new Map(paths.map((path) => [path, readFileSync(join(SOURCES, path), "utf8")]));
}

function findEntries(sources) {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const paths = Object.values(exports).map((entry) => posix.relative("src", entry["@isthmus/source"]));
  for (const name of existsSync("bin") ? readdirSync("bin") : []) {
    const text = readFileSync(join("bin", name), "utf8");
    for (const [, path] of text.matchAll(/"\.\.\/dist\/([^"]+)\.js"/g)) paths.push(`${path}.ts`);
  }
  for (const [path, text] of sources) {
    if (text.includes(WHERE)) paths.push(path);
    for (const [, script] of text.matchAll(/new URL\([^)]*"(\.[^"]+)\.js"/g)) {
      const source = `${posix.join(posix.dirname(path), script)}.ts`;
      if (sources.has(source)) paths.push(source);
    }
  }
  return [...new Set(paths)].map((path) => join(SOURCES, path));
}

/** Lets a source say the address at which it would lie if it were built alone, wherever its code ends up. */
const addresses = {
  name: "addresses",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes(WHERE)) return undefined;
      const name = toPosix(relative(SOURCES, path)).replace(/\.ts$/, ".js");
      const folder = `${WHERE}.slice(0, ${WHERE}.lastIndexOf("/dist/") + 6)`;
      return { contents: text.replaceAll(WHERE, `(${folder} + ${JSON.stringify(name)})`), loader: "ts" };
    });
  },
};

function toPosix(path) {
  return path.replaceAll("\\", "/");
}

const { outputFiles } = await build({
  entryPoints: findEntries(readSources()),
  outdir: "dist",
  outbase: SOURCES,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  plugins: [addresses],
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
  write: false,
});

// Commands may be running from here, so that only what differs is written, and what is stale goes last.
for (const { path, contents } of outputFiles) {
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
const written = new Set(outputFiles.map(({ path }) => path));
for (const name of readdirSync("dist", { recursive: true })) {
  const path = resolve("dist", name);
  if (/\.js(?:\.map)?$/.test(path) && !written.has(path)) rmSync(path);
}
