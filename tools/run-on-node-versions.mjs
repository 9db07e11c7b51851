// Runs the core of the tests, and the README's example as it stands, on the newest release of every Node that is
// supported, and prints one line for each: `node tools/run-on-node-versions.mjs [20 22 ...]`.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeVersions, RUNS_TYPESCRIPT } from "./node-versions.mjs";
import { root } from "./packages.mjs";

const TESTS = [
  "packages/core",
  "packages/data",
  "packages/interpolation",
  "packages/merging",
  "packages/cli/test/cli.test.ts",
  "packages/engine/test/engine-conformance.test.ts",
];

let failed = 0;
for (const { major, version, node } of nodeVersions(process.argv.slice(2).map(Number))) {
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
