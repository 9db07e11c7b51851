// Builds the sources of the calling package into few files under dist/, as a command that loads a thousand small
// ones starts three times slower. Declarations are written by tsc -b.
//
//   node ../../tools/bundle-package.mjs
//
// Entries keep their paths; what several of them share goes into dist/chunks. Packages that users install with this one stay imports;
// those that are only its devDependencies are taken in, as a tenth of a package may be all that is used, with their licenses.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { listLicenses } from "./bundled-licenses.mjs";
import { findEntries, SOURCES, toPosix, WHERE } from "./package-entries.mjs";

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

const { dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const installed = Object.keys({ ...dependencies, ...peerDependencies });

const { outputFiles, metafile } = await build({
  entryPoints: findEntries().map((path) => join(SOURCES, path)),
  outdir: "dist",
  outbase: SOURCES,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  external: installed.flatMap((name) => [name, `${name}/*`]),
  metafile: true,
  plugins: [addresses],
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
  write: false,
});

const licenses = listLicenses(Object.keys(metafile.inputs));
if (licenses !== "")
  outputFiles.push({ path: resolve("dist", "THIRD-PARTY-LICENSES.txt"), contents: Buffer.from(licenses) });

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
