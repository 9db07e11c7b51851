import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/", import.meta.url));

/** Takes in the sources of our packages, and leaves those of others where they are. */
const ownSources: Plugin = {
  name: "own-sources",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@isthmus/") ? undefined : { path, external: true },
    );
  },
};

/**
 * Bundles a script with the sources that it imports into one file, which lasts as long as this process: threads
 * and processes of tests would otherwise read and translate hundreds of sources each. It returns the file's address.
 */
export async function bundleScript(script: URL): Promise<URL> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "test-scripts-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${basename(script.pathname, ".ts")}.mjs`);
  await build({
    entryPoints: [fileURLToPath(script)],
    outfile,
    bundle: true,
    conditions: ["@isthmus/source"],
    plugins: [ownSources],
    format: "esm",
    platform: "node",
    target: "node20",
  });
  return pathToFileURL(outfile);
}
