// Makes the npm packages that bring onnxruntime to users: its native library, one package for each system, as the package of its makers
// holds those of all, 300 MB, and runs a script when it is installed; and its build in WebAssembly for Node, which runs on every system.
//
//   node tools/runtime-packages/make.mjs FOLDER [NAME...]
//
// It takes them from the installed packages onnxruntime-node and onnxruntime-web, whose contents the lockfile fixes, and prints the paths
// of the tarballs. They are published before the packages that ask for them.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { root } from "../packages.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** Raised if a package is published again for the same version of onnxruntime. */
const REVISION = 0;

/**
 * Files of the native library on each system. On Windows those for computing on graphics cards are left out: they are opened only
 * by programs that ask for such a card. On macOS the second name of the same file is.
 */
const NATIVE = {
  "linux-x64": ["libonnxruntime.so.1"],
  "linux-arm64": ["libonnxruntime.so.1"],
  "darwin-arm64": ["libonnxruntime.1.dylib"],
  "win32-x64": ["onnxruntime.dll"],
  "win32-arm64": ["onnxruntime.dll"],
};

const BINDING = "onnxruntime_binding.node";
const WASM_FILES = ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

/** Names of the packages, in which each system finds its own. */
export const RUNTIME_PACKAGES = [...Object.keys(NATIVE), "wasm"].map(nameOf);

/** Name of the package with the native library of this machine, whether or not there is one. */
export const PLATFORM_PACKAGE = nameOf(`${process.platform}-${process.arch}`);

/** What a published package asks for to get onnxruntime on every system. */
export function runtimeDependencies() {
  return Object.fromEntries(RUNTIME_PACKAGES.map((name) => [name, versionOf(sourceOf(name).manifest)]));
}

/**
 * Makes one package.
 * @param name - one of RUNTIME_PACKAGES
 * @param folder - where its folder is made, named after the part of the name behind the slash
 * @returns the path of its folder
 */
export async function makeRuntimePackage(name, folder) {
  const made = join(folder, name.slice(name.indexOf("/") + 1));
  mkdirSync(made, { recursive: true });
  const files = await (sourceOf(name).system === "wasm" ? makeWasm(made) : makeNative(name, made));
  for (const text of ["LICENSE", "ThirdPartyNotices.txt"]) copyFileSync(join(HERE, text), join(made, text));
  writeFileSync(join(made, "README.md"), describe(name));
  const manifest = { ...describeManifest(name), files: [...files, "ThirdPartyNotices.txt"] };
  writeFileSync(join(made, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return made;
}

/**
 * Makes a folder for each package that an installation asks for: whole ones for this machine, and of those for other systems the
 * package.json alone, which is all that npm reads of them.
 * @returns the paths of the folders by name
 */
export async function makeForThisMachine(folder) {
  const made = new Map();
  for (const name of RUNTIME_PACKAGES) {
    const isHere = name === PLATFORM_PACKAGE || name === nameOf("wasm");
    made.set(name, isHere ? await makeRuntimePackage(name, folder) : makeManifest(name, folder));
  }
  return made;
}

function makeManifest(name, folder) {
  const made = join(folder, name.slice(name.indexOf("/") + 1));
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, "package.json"), JSON.stringify(describeManifest(name)));
  return made;
}

/** Packs one package as npm publishes it. @returns the path of the tarball */
export async function packRuntimePackage(name, folder) {
  const made = await makeRuntimePackage(name, folder);
  const options = { cwd: folder, encoding: "utf8" };
  return join(folder, execFileSync("npm", ["pack", "--silent", "--ignore-scripts", made], options).trim());
}

/** Says what npm reads of one package. */
export function describeManifest(name) {
  const { system, manifest } = sourceOf(name);
  const [os, cpu] = system.split("-");
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const common = {
    name,
    version: versionOf(manifest),
    description: describe(name).split("\n\n")[1],
    license: "MIT",
    ...(repository && { repository }),
  };
  if (system === "wasm") return { ...common, type: "module", exports: "./index.mjs" };
  return { ...common, os: [os], cpu: [cpu], ...(os === "linux" && { libc: ["glibc"] }), main: "index.js" };
}

function nameOf(system) {
  return `@isthmus/onnxruntime-${system}`;
}

/** The system that a package is for, and the package and manifest of onnxruntime's makers that it is made from. */
function sourceOf(name) {
  const system = name.slice(nameOf("").length);
  const entry = require.resolve(system === "wasm" ? "onnxruntime-web" : "onnxruntime-node");
  const folder = dirname(dirname(entry));
  return { system, folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) };
}

function versionOf({ version }) {
  const [major, minor, patch] = version.split(".").map(Number);
  return `${major}.${minor}.${100 * patch + REVISION}`;
}

function describe(name) {
  const { system, manifest } = sourceOf(name);
  const what =
    system === "wasm"
      ? "onnxruntime in WebAssembly for Node, which runs on every system, for @isthmus/engine."
      : `The native library of onnxruntime for ${system}, on the CPU, for @isthmus/engine.`;
  return `# ${name}\n\n${what}\n\nMade from ${manifest.name} ${manifest.version} of Microsoft, without changes to its binary files.\n`;
}

/** Copies the native library and bundles the JavaScript that loads it. @returns the names of the files */
async function makeNative(name, made) {
  const { system, folder } = sourceOf(name);
  const names = [BINDING, ...NATIVE[system]];
  for (const file of names)
    copyFileSync(join(folder, "bin", "napi-v6", ...system.split("-"), file), join(made, file));
  await bundle(join(folder, "dist", "index.js"), join(made, "index.js"), "cjs");
  return ["index.js", ...names];
}

async function makeWasm(made) {
  const { folder } = sourceOf(nameOf("wasm"));
  for (const file of WASM_FILES) copyFileSync(join(folder, "dist", file), join(made, file));
  await bundle(join(folder, "dist", "ort.node.min.mjs"), join(made, "index.mjs"), "esm");
  return ["index.mjs", ...WASM_FILES];
}

/** Bundles JavaScript of onnxruntime with the package of types and tensors that it needs. */
async function bundle(entry, outfile, format) {
  await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: "node",
    target: "node20",
    external: [`./${BINDING}`],
    logLevel: "warning",
    plugins: [bindingBeside],
  });
}

/** Lets the JavaScript find the native library beside it, where it looked for that of the system among those of all. */
const bindingBeside = {
  name: "binding-beside",
  setup({ onLoad }) {
    onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, ({ path }) => {
      const parts = readFileSync(path, "utf8").split(/require\(`[^`]+\.node`\)/);
      if (parts.length !== 2) throw new Error(`Cannot bundle ${path} as it must load one native library`);
      return { contents: parts.join(`require("./${BINDING}")`), loader: "js" };
    });
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = "", ...names] = process.argv.slice(2);
  mkdirSync(folder, { recursive: true });
  for (const name of names.length === 0 ? RUNTIME_PACKAGES : names)
    console.log(await packRuntimePackage(name, resolve(folder)));
}
