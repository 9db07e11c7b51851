// Bundles scripts with the sources of our packages that they import, so that threads and processes of tests start at once: each
// would otherwise read and translate hundreds of sources. It is JavaScript, as threads call it before they can run TypeScript.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";
import { packageNames, root } from "../../tools/packages.mjs";

/** Lies in the repository, as bundles import the packages of others from there. */
const CACHE = join(root, "node_modules", ".cache", "test-scripts");

/** File beside bundles that names the files they were made of, each with its stamp. */
const INPUTS = "inputs.json";

/** Files that say how bundles are made, and to which source an import leads. */
const LEADING = [
  fileURLToPath(import.meta.url),
  join(root, "node_modules", ".package-lock.json"),
  ...packageNames.map((name) => join(root, "packages", name, "package.json")),
];

/** Says which version of a file there is: when it was written last, and how long it is. */
function stampOf(path) {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${mtimeMs} ${size}`;
}

/** Whether a folder has bundles, and no file that they were made of has changed since. */
function isFresh(folder) {
  try {
    const inputs = JSON.parse(readFileSync(join(folder, INPUTS), "utf8"));
    return inputs.every(([path, stamp]) => stampOf(path) === stamp);
  } catch {
    return false;
  }
}

/** Writes a file under its final name at once: others may write or run it at the same moment. */
function publish(path, contents) {
  const made = `${path}.${process.pid}.${threadId}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(made, contents);
  renameSync(made, path);
}

/** Whether a package of others is found from bundles, which lie below the root: npm keeps some beside the package that needs them. */
const isAtRoot = (path) => existsSync(join(root, "node_modules", /^(?:@[^/]+\/)?[^/]+/.exec(path)[0]));

/** Marks the second question for a file, which the bundler itself answers. */
const FOUND = "found by the bundler";

/** Takes in the sources of our packages, and leaves those of others where they are. */
const ownSources = {
  name: "own-sources",
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind === "entry-point" || pluginData === FOUND || /^@?isthmus\b/.test(path)) return undefined;
      if (isBuiltin(path) || isAtRoot(path)) return { path, external: true };
      const found = await resolve(path, { kind, resolveDir, pluginData: FOUND });
      return { path: pathToFileURL(found.path).href, external: true };
    });
    // Sources find files beside them, wherever their code ends up.
    onLoad({ filter: /\.[mt][jt]?s$/ }, ({ path }) => {
      const address = JSON.stringify(pathToFileURL(path).href);
      const contents = readFileSync(path, "utf8").replaceAll("import.meta.url", address);
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/**
 * Bundles scripts, which share what several of them import, unless the same files were bundled before.
 * @param {readonly URL[]} scripts
 * @returns {Promise<URL[]>} addresses of the bundles, in the same order
 */
export async function bundleScripts(scripts) {
  const key = createHash("sha256").update(scripts.join("\n")).digest("hex").slice(0, 16);
  const folder = join(CACHE, key);
  if (!isFresh(folder)) await writeBundles(scripts, folder);
  return scripts.map((_, i) => pathToFileURL(join(folder, `script-${i}.mjs`)));
}

async function writeBundles(scripts, folder) {
  const started = Date.now();
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    metafile: true,
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
  for (const { path, contents } of outputFiles) publish(path, contents);
  const inputs = [...Object.keys(metafile.inputs).map((path) => join(root, path)), ...LEADING];
  // A file that was written meanwhile may have been read before that.
  if (inputs.some((path) => statSync(path).mtimeMs >= started)) return;
  publish(join(folder, INPUTS), JSON.stringify(inputs.map((path) => [path, stampOf(path)])));
}
