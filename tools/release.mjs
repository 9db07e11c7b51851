// Publishes the version of all packages that package.json names, after checking what is published:
//
//   node tools/release.mjs [--dry]
//
// With --dry it does all but publish, and needs no registry. Packages whose version the registry has are left out, so that an
// interrupted release goes on. The folder .release/ then holds what the release page has: its text, and a bill of materials
// (CycloneDX). npm knows the workflow by itself (trusted publishing), so that there is no token.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packPackages } from "./pack-packages.mjs";
import { packageNames, readManifest, root } from "./packages.mjs";
import { runNpm } from "./programs.mjs";
import { describeManifest, packRuntimePackage, RUNTIME_PACKAGES } from "./runtime-packages/make.mjs";
import { measureTarball, tarballOf } from "./tarballs.mjs";

const isDry = process.argv.includes("--dry");
const { GITHUB_ACTIONS: isWorkflow } = process.env;
// Only a workflow can prove where a package comes from.
const provenance = isWorkflow ? ["--provenance"] : [];
const made = join(root, ".release");
const { version } = readManifest("isthmus");

const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", 2], maxBuffer: 1 << 28 };

for (const checks of ["setup", "write-notice --check", "check-published"]) {
  const [tool, ...args] = checks.split(" ");
  process.stdout.write(execFileSync(process.execPath, [`tools/${tool}.mjs`, ...args], options));
}
const tarballs = packPackages();
const packages = sortByDependencies().map((name) => {
  const file = join(tarballs, tarballOf(readManifest(name)));
  return { ...measureTarball(name, readFileSync(file)), file, name: readManifest(name).name };
});
printSizes();
rmSync(made, { recursive: true, force: true });
mkdirSync(made);
writeFileSync(join(made, "notes.md"), notesOf(version));
writeFileSync(join(made, `isthmus-${version}.cdx.json`), `${JSON.stringify(makeBill(), null, 2)}\n`);
// Libraries first: npm leaves an optional dependency that it does not find out of lockfiles for good.
for (const name of RUNTIME_PACKAGES)
  await publish(name, describeManifest(name).version, () => packRuntimePackage(name, made));
for (const { name, file } of packages) await publish(name, version, () => file);
console.log(`release: ${packages.length} packages of ${version}${isDry ? ", none published" : ""}`);

/** Publishes a version of a package, unless the registry has it, from the tarball that `pack` returns. */
async function publish(name, version, pack) {
  if (isDry) return;
  if (isPublished(`${name}@${version}`)) console.log(`${name}@${version} is published already`);
  else process.stdout.write(runNpm(["publish", await pack(), "--access", "public", ...provenance], options));
}

/** Checks whether the registry has a version of a package; fails if the registry does not answer. */
function isPublished(spec) {
  try {
    return runNpm(["view", spec, "version", "--json"], options).trim() !== "";
  } catch (error) {
    if (/"code": *"E404"/.test(error.stdout)) return false;
    throw error;
  }
}

/** Lists packages so that each comes after those that it needs: what is published can be installed at any time. */
function sortByDependencies() {
  const sorted = new Set();
  const add = (name) => {
    const needed = Object.keys(readManifest(name).dependencies ?? {}).map((one) =>
      one.replace("@isthmus/", ""),
    );
    for (const one of needed.filter((one) => packageNames.includes(one))) add(one);
    sorted.add(name);
  };
  packageNames.forEach(add);
  return [...sorted];
}

/** Prints the size of every tarball beside its budget, in thousands of bytes. */
function printSizes() {
  const line = (name, ...numbers) => `${name.padEnd(26)}${numbers.map((text) => text.padStart(10)).join("")}`;
  const rows = packages.map(({ name, packed, unpacked, budget }) =>
    line(name, packed.toFixed(), `${budget.packed}`, unpacked.toFixed(), `${budget.unpacked}`),
  );
  const total = (kind) => packages.reduce((sum, one) => sum + one[kind], 0).toFixed();
  const last = line("all", total("packed"), "", total("unpacked"), "");
  console.log([line("kB", "packed", "at most", "unpacked", "at most"), ...rows, last].join("\n"));
}

/** Returns the part of the changelog about one version. */
function notesOf(wanted) {
  const changelog = readFileSync(join(root, "packages", "isthmus", "CHANGELOG.md"), "utf8");
  const part = changelog.split(/^## /m).find((text) => text.startsWith(`${wanted}\n`));
  if (part === undefined)
    throw new Error(`Cannot release ${wanted} as packages/isthmus/CHANGELOG.md must have a part about it`);
  return `${part.slice(wanted.length).trim()}\n`;
}

/** Makes the bill of materials of the package that users install: all that comes with it. */
function makeBill() {
  const listing = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--workspace", "isthmus"];
  const bill = JSON.parse(runNpm(listing, options));
  const component = {
    ...bill.metadata.component,
    name: "isthmus",
    version,
    purl: `pkg:npm/isthmus@${version}`,
  };
  return { ...bill, metadata: { ...bill.metadata, component } };
}
