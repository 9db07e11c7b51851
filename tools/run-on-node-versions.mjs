// Runs the core of the tests, and the README's example as it stands, on the newest release of every Node that is
// supported, and prints one line for each: `node tools/run-on-node-versions.mjs [20 22 ...]`. Binaries are npm
// packages, kept in a cache outside the repository.
import { execFile, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./packages.mjs";

const MAJORS = [20, 22, 24, 26];
/** First major that runs files of TypeScript in every release, without a flag. */
const RUNS_TYPESCRIPT = 24;
const BINARIES = `node-${process.platform}-${process.arch}`;
const TESTS = [
  "packages/core",
  "packages/data",
  "packages/interpolation",
  "packages/merging",
  "packages/cli/test/cli.test.ts",
  "packages/engine/test/engine-conformance.test.ts",
];
const cache = join(homedir(), ".cache", "isthmus-node");

const asked = process.argv.slice(2).map(Number);
const majors = asked.length > 0 ? asked : MAJORS;
const released = JSON.parse(npm("view", BINARIES, "versions", "--json"));
let failed = 0;
for (const major of majors) {
  const version = newest(released, major);
  const node = installNode(version);
  const results = [await runTests(node)];
  if (major >= RUNS_TYPESCRIPT) results.push(await runExample(node));
  const passed = results.every((result) => result.passed);
  if (!passed) failed++;
  console.log(
    `node ${version}: ${passed ? "passed" : "FAILED"} (${results.map((result) => result.says).join("; ")})`,
  );
  for (const { output } of results.filter((result) => !result.passed)) console.error(output);
}
process.exit(failed === 0 ? 0 : 1);

function npm(...args) {
  return execFileSync("npm", args, { cwd: tmpdir(), encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Picks the newest release of a major version; releases are compared by their numbers. */
function newest(versions, major) {
  const ofMajor = versions.filter((version) => new RegExp(`^${major}\\.\\d+\\.\\d+$`).test(version));
  const [last] = ofMajor.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  if (last === undefined)
    throw new Error(`Cannot run Node ${major} as ${BINARIES} must have it: it has no such release`);
  return last;
}

/** Returns the path of the binary of one release, downloaded if it is not in the cache. */
function installNode(version) {
  const folder = join(cache, version);
  const binary = join(folder, "node_modules", BINARIES, "bin", "node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    npm(
      "install",
      "--prefix",
      folder,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      `${BINARIES}@${version}`,
    );
  }
  return binary;
}

async function runTests(node) {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { code, output } = await run(node, [vitest, "run", ...TESTS], root);
  // The summary reporter ends with one plain line.
  const [counts = "no tests ran"] = output.match(/^\d+ passed, \d+ failed.*$/m) ?? [];
  return { passed: code === 0, says: counts, output };
}

/** Runs the first example of the README as a file of its own, the way the README says. */
async function runExample(node) {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-example-"));
  try {
    for (const name of ["examples", "node_modules"]) symlinkSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const [, example] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, "README.md"), "utf8"));
    writeFileSync(join(folder, "example.ts"), example);
    const { code, output } = await run(node, ["example.ts"], folder);
    const passed = code === 0 && output === "";
    return { passed, says: `example.ts ${passed ? "runs" : "does not run"}`, output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a program to its end; what it prints on both streams comes back together. */
function run(node, args, cwd) {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  return new Promise((resolve) => {
    execFile(node, args, { cwd, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: `${stdout}${stderr}` }),
    );
  });
}
