// Tests the tests of one package: changes its code in small ways, one at a time (a mutant), and looks whether its own tests fail.
//
//   node tools/mutants.mjs PACKAGE [--mutants N] [--seed N] [--without NAME,...] [--list] [FILE...]
//
// If no file is named, files of the package are drawn by the seed until they have enough mutants (300, seed 1). Kernels and lists of
// names are left out. Tests are those of the package, without files whose path contains a name of `--without`. `--list` prints the files
// alone. Mutants that act only while a module loads are not counted, as each would need a process of its own.
// Writes each mutant and what became of it to node_modules/.cache/stryker/PACKAGE.json, and prints those that no test noticed.
//
// Stryker is installed beside other caches when it is first needed: as a devDependency, its 170 packages would make every install slower.
// It changes files in place, as packages import each other by links, and puts them back; if it was killed, `git checkout` does.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { packageNames, root, sourceFiles } from "./packages.mjs";

/** The last version that runs on Node 20. */
const VERSION = "9.6.1";
const folder = join(root, "node_modules", ".cache", "stryker");
const modules = join(folder, "node_modules", "@stryker-mutator");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mutants: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    without: { type: "string", default: "" },
    list: { type: "boolean", default: false },
  },
});
const [name, ...named] = positionals;
if (!packageNames.includes(name)) refuse(`the first argument must be a package: got ${name ?? "none"}`);
if (!existsSync(modules)) install();
const files = named.length > 0 ? named.map((path) => relative(root, path)) : await drawFiles();
if (values.list) console.log(files.join("\n"));
else runStryker();

function refuse(rule) {
  console.error(`Cannot make mutants as ${rule}`);
  process.exit(2);
}

function install() {
  mkdirSync(folder, { recursive: true });
  const packages = ["core", "vitest-runner"].map((part) => `@stryker-mutator/${part}@${VERSION}`);
  // Without its peers, as it finds the vitest of the root.
  const flags = ["--no-save", "--legacy-peer-deps", "--no-audit", "--no-fund"];
  execFileSync("npm", ["install", "--prefix", folder, ...flags, ...packages], {
    cwd: root,
    stdio: "inherit",
  });
}

async function drawFiles() {
  const files = sourceFiles(name).filter((path) => !/\/kernels\/|\/index\.ts$/.test(path));
  const place = (path) => createHash("sha256").update(`${values.seed} ${path}`).digest("hex");
  const drawn = [];
  let count = 0;
  for (const path of files.toSorted((a, b) => (place(a) < place(b) ? -1 : 1))) {
    const mutants = await countMutants(path);
    if (mutants > 0) drawn.push(path);
    count += mutants;
    if (count >= Number(values.mutants)) break;
  }
  return drawn;
}

async function countMutants(path) {
  const { Instrumenter } = await import(join(modules, "instrumenter", "dist", "src", "index.js"));
  const silent = { info: () => undefined, debug: () => undefined, isDebugEnabled: () => false };
  const file = { name: path, mutate: true, content: readFileSync(join(root, path), "utf8") };
  const options = { plugins: null, excludedMutations: [], ignorers: [] };
  return (await new Instrumenter(silent).instrument([file], options)).mutants.length;
}

function runStryker() {
  const changed = execFileSync("git", ["status", "--porcelain", "--", ...files], {
    cwd: root,
    encoding: "utf8",
  });
  if (changed !== "") refuse(`the files must be committed, as it changes them: these are not\n${changed}`);
  const without = values.without.split(",").filter((part) => part !== "");
  const tests = ["src", "test"]
    .filter((part) => existsSync(join(root, "packages", name, part)))
    .flatMap((part) => sourceFiles(name, { folder: part, ending: ".test.ts", tests: true }))
    .filter((path) => !without.some((part) => path.includes(part)));
  const vitest = join(folder, "vitest.config.mjs");
  const changes = { include: tests, reporters: [], sequence: {} };
  writeFileSync(
    vitest,
    `import base from ${JSON.stringify(join(root, "vitest.config.ts"))};\n` +
      `export default { ...base, test: { ...base.test, ...${JSON.stringify(changes)} } };\n`,
  );
  const settings = join(folder, "stryker.config.json");
  writeFileSync(settings, JSON.stringify(describeRun(vitest)));
  const found = join(folder, `${name}.json`);
  rmSync(found, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [join(folder, "node_modules", ".bin", "stryker"), "run", settings],
    {
      cwd: root,
      stdio: "inherit",
      // Laws take the same cases for each mutant.
      env: { ...process.env, CI: "1", NODE_OPTIONS: "--conditions=@isthmus/source" },
    },
  );
  for (const left of readdirSync(root).filter((file) => /^stryker-setup-\d+\.js$/.test(file)))
    rmSync(join(root, left));
  process.exitCode = status ?? 1;
  if (existsSync(found)) assertTested(JSON.parse(readFileSync(found, "utf8")));
}

/** Checks that tests ran for each mutant that none noticed, as a runner that broke down would notice none either. */
function assertTested({ files: tested }) {
  const unnoticed = Object.values(tested).flatMap(({ mutants }) =>
    mutants.filter(({ status, testsCompleted }) => status === "Survived" && !testsCompleted),
  );
  if (unnoticed.length > 0) refuse(`tests must run for each: for ${unnoticed.length} none did; run it again`);
}

function describeRun(vitest) {
  return {
    mutate: files,
    testRunner: "vitest",
    plugins: [join(modules, "vitest-runner", "dist", "src", "index.js")],
    vitest: { configFile: vitest, related: false },
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    inPlace: true,
    concurrency: 1,
    disableTypeChecks: false,
    // Beyond twice its time, so that a busy machine alone is no timeout.
    timeoutMS: 15_000,
    timeoutFactor: 2,
    dryRunTimeoutMinutes: 15,
    tempDirName: join(folder, "tmp"),
    reporters: ["json", "clear-text", "progress-append-only"],
    clearTextReporter: { logTests: false, reportTests: false },
    jsonReporter: { fileName: join(folder, `${name}.json`) },
  };
}
