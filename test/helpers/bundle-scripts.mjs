// Bundles scripts with the sources of our packages that they import, so that threads and processes of tests start at once: each
// would otherwise read and translate hundreds of sources. It is JavaScript, as threads call it before they can run TypeScript.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";
import { build } from "esbuild";

/** Lies in the repository, as bundles import the packages of others from there. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/test-scripts/", import.meta.url));

/** Takes in the sources of our packages, and leaves those of others where they are. */
const ownSources = {
  name: "own-sources",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || /^@?isthmus\b/.test(path) ? undefined : { path, external: true },
    );
    // Sources find files beside them, wherever their code ends up.
    onLoad({ filter: /\.[mt][jt]?s$/ }, ({ path }) => {
      const address = JSON.stringify(pathToFileURL(path).href);
      const contents = readFileSync(path, "utf8").replaceAll("import.meta.url", address);
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/**
 * Bundles scripts, which share what several of them import.
 * @param {readonly URL[]} scripts
 * @returns {Promise<URL[]>} addresses of the bundles, in the same order
 */
export async function bundleScripts(scripts) {
  const key = createHash("sha256").update(scripts.join("\n")).digest("hex").slice(0, 16);
  const folder = join(CACHE, key);
  const { outputFiles } = await build({
    entryPoints: scripts.map((script, i) => ({ in: fileURLToPath(script), out: `script-${i}` })),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    conditions: ["@isthmus/source"],
    plugins: [ownSources],
    format: "esm",
    platform: "node",
    target: "node20",
    write: false,
  });
  // Others may bundle the same, or run it, at the same moment.
  for (const { path, contents } of outputFiles) {
    const made = `${path}.${process.pid}.${threadId}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(made, contents);
    renameSync(made, path);
  }
  return scripts.map((_, i) => pathToFileURL(join(folder, `script-${i}.mjs`)));
}
