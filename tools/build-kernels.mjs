// Compiles every AssemblyScript file in the calling package's kernels/ folder to a module wasm/NAME.mjs, which has the
// code as text: Node.js and browsers load it alike, by an import, and bundlers need no help with it. Large code is packed.
// The types of what the code exports come from the compiler, so that a call of a function that it lacks does not pass tsc.
//
//   node ../../tools/build-kernels.mjs [asc option ...]
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import asc from "assemblyscript/asc";

const OPTIONS = [
  "-O3",
  "--runtime",
  "stub",
  "--noAssert",
  "--enable",
  "simd",
  "--bindings",
  "raw",
  ...process.argv.slice(2),
];

/** Bytes from which code is packed; below, packing saves less than a kilobyte or two. */
const PACKED_BYTES = 8192;

rmSync("wasm", { recursive: true, force: true });
mkdirSync("wasm");
// In one process, as the compiler takes longer to load than most kernels to compile.
for (const file of readdirSync("kernels").filter((name) => name.endsWith(".ts"))) {
  const written = {};
  const writeFile = (name, content) => {
    written[name] = content;
  };
  const flags = [join("kernels", file), "-o", "kernel.wasm", ...OPTIONS];
  const { error, stderr } = await asc.main(flags, { writeFile });
  if (error) throw new Error(`Cannot compile ${join("kernels", file)}: ${stderr}`, { cause: error });
  const name = join("wasm", file.replace(/\.ts$/, ""));
  writeFileSync(`${name}.mjs`, moduleOf(Buffer.from(written["kernel.wasm"])));
  writeFileSync(`${name}.d.mts`, declarationOf(written["kernel.d.ts"]));
}

/** Returns the types of a module: those that the compiler wrote, without its own names and functions. */
function declarationOf(types) {
  const [, body] = /__AdaptedExports \{\n(.*?)\n\}/s.exec(types);
  const members = body
    .replaceAll(/ *\/\*\*.*?\*\/\n/gs, "")
    .replaceAll("export function ", "readonly ")
    .replaceAll(/(readonly \w+)(\(.*\)): (.*);/g, "$1: $2 => $3;")
    .replaceAll("=> boolean", "=> number")
    .replaceAll("export const ", "readonly ")
    .replaceAll(/\{\s*get value\(\): number\s*\}/g, "{ readonly value: number }")
    .replaceAll("WebAssembly.Memory", "{ readonly buffer: ArrayBuffer; grow(pages: number): number }");
  return `/** Exports of the compiled kernels. */
export interface Kernels {
${members}
}

/** Returns the code of the compiled kernels. */
export declare function readCode(): Uint8Array;
`;
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
