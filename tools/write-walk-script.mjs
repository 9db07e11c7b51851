// Writes the script of maps to walk on, packages/report/src/page/walk-script.ts, from its sources in packages/report/walk: minified, as
// every page carries it. A test of the package fails while the written script is not that of its sources.
//
//   node tools/write-walk-script.mjs
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./packages.mjs";

/** Builds the script from its sources. */
export async function buildWalkScript() {
  const { outputFiles } = await build({
    entryPoints: [join(root, "packages", "report", "walk", "main.ts")],
    bundle: true,
    format: "iife",
    minify: true,
    target: "es2022",
    write: false,
  });
  return outputFiles[0].text.trim();
}

if (process.argv[1] === import.meta.filename) {
  const path = join(root, "packages", "report", "src", "page", "walk-script.ts");
  const text = JSON.stringify(await buildWalkScript());
  writeFileSync(
    path,
    `// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the script has templates of its own\n/** Script of maps to walk on, minified; tools/write-walk-script.mjs writes it from packages/report/walk. */\nexport const WALK_SCRIPT: string = ${text};\n`,
  );
  execFileSync(join(root, "node_modules", ".bin", "biome"), ["format", "--write", path], {
    cwd: root,
    stdio: "inherit",
  });
}
