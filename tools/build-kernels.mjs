// Compiles every AssemblyScript file in the calling package's kernels/ folder to a module wasm/NAME.mjs, which has the
// code as text: Node.js and browsers load it alike, by an import, and bundlers need no help with it. Large code is packed.
//
//   node ../../tools/build-kernels.mjs [asc option ...]
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import asc from "assemblyscript/asc";

const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", ...process.argv.slice(2)];

/** Bytes from which code is packed; below, packing saves less than a kilobyte or two. */
const PACKED_BYTES = 8192;

const DECLARATION = `/** Returns the code of the compiled kernels. */
export declare function readCode(): Uint8Array;
`;

rmSync("wasm", { recursive: true, force: true });
mkdirSync("wasm");
// In one process, as the compiler takes longer to load than most kernels to compile.
for (const file of readdirSync("kernels").filter((name) => name.endsWith(".ts"))) {
  let code = Buffer.alloc(0);
  const writeFile = (_name, bytes) => {
    code = Buffer.from(bytes);
  };
  const flags = [join("kernels", file), "-o", "kernel.wasm", ...OPTIONS];
  const { error, stderr } = await asc.main(flags, { writeFile });
  if (error) throw new Error(`Cannot compile ${join("kernels", file)}: ${stderr}`, { cause: error });
  const name = join("wasm", file.replace(/\.ts$/, ""));
  writeFileSync(`${name}.mjs`, moduleOf(code));
  writeFileSync(`${name}.d.mts`, DECLARATION);
}

function moduleOf(code) {
  const isPacked = code.length >= PACKED_BYTES;
  const text = (isPacked ? deflateRawSync(code, { level: 9 }) : code).toString("base64");
  const bytes = `Uint8Array.from(atob("${text}"), (character) => character.charCodeAt(0))`;
  if (!isPacked) return `export const readCode = () => ${bytes};\n`;
  return `import { inflateRaw } from "@isthmus/platform";
export const readCode = () => inflateRaw(${bytes}, { maxOutputLength: ${code.length} });
`;
}
