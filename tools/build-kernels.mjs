// Compiles every AssemblyScript file in the calling package's kernels/ folder to wasm/NAME.wasm.
//
//   node ../../tools/build-kernels.mjs [asc option ...]
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const asc = join(root, "node_modules", "assemblyscript", "bin", "asc.js");

const options = process.argv.slice(2);

mkdirSync("wasm", { recursive: true });
for (const file of readdirSync("kernels").filter((name) => name.endsWith(".ts"))) {
  const out = join("wasm", file.replace(/\.ts$/, ".wasm"));
  execFileSync(
    process.execPath,
    [
      asc,
      join("kernels", file),
      "-o",
      out,
      "-O3",
      "--runtime",
      "stub",
      "--noAssert",
      "--enable",
      "simd",
      ...options,
    ],
    { stdio: "inherit" },
  );
}
