// Compiles every AssemblyScript file in the calling package's kernels/ folder to wasm/NAME.wasm.
//
//   node ../../tools/build-kernels.mjs [asc option ...]
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", ...process.argv.slice(2)];

mkdirSync("wasm", { recursive: true });
// In one process, as the compiler takes longer to load than most kernels to compile.
for (const file of readdirSync("kernels").filter((name) => name.endsWith(".ts"))) {
  const out = join("wasm", file.replace(/\.ts$/, ".wasm"));
  const { error, stderr } = await asc.main([join("kernels", file), "-o", out, ...OPTIONS]);
  if (error) throw new Error(`Cannot compile ${join("kernels", file)}: ${stderr}`, { cause: error });
}
