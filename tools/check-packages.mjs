// Checks that every package has the files and package.json fields it is published with.
//
//   node tools/check-packages.mjs [--write]
//
// With --write it first gives every package the addresses of the project, which the package.json of the repository has.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { targetsOf } from "./package-entries.mjs";
import { packageNames, readManifest, report, root, rootManifest } from "./packages.mjs";

const REQUIRED_FILES = ["README.md", "package.json", "tsconfig.json", "src/index.ts"];
const PREPARE = "node ../../tools/prepare-package.mjs";
const findings = [];
const versions = new Set();

if (process.argv.includes("--write")) packageNames.forEach(writeAddresses);
for (const name of packageNames) {
  const folder = join(root, "packages", name);
  for (const file of REQUIRED_FILES) {
    if (!existsSync(join(folder, file))) findings.push(`packages/${name} has no ${file}`);
  }
  const manifest = readManifest(name);
  versions.add(manifest.version);
  for (const [field, problem] of checkFields(name, manifest))
    findings.push(`packages/${name}/package.json: "${field}" ${problem}`);
  checkIndex(name);
  checkReadme(name);
}
const source = readFileSync(join(root, "packages", "merging", "src", "version.ts"), "utf8");
if (!source.includes(`VERSION = ${JSON.stringify([...versions][0])}`))
  findings.push("packages/merging/src/version.ts must have the version of package.json: run npm run version");
if (versions.size > 1) findings.push(`packages are versioned together: found ${[...versions].join(", ")}`);
report("check-packages", findings);

/** The addresses of the project, as a package has them. */
function addressesOf(name) {
  const { homepage, bugs, repository } = rootManifest;
  return { homepage, bugs, repository: { ...repository, directory: `packages/${name}` } };
}

function writeAddresses(name) {
  const entries = Object.entries(readManifest(name)).filter(([field]) => !(field in addressesOf(name)));
  const place = entries.findIndex(([field]) => field === "license") + 1;
  const manifest = Object.fromEntries(entries.toSpliced(place, 0, ...Object.entries(addressesOf(name))));
  writeFileSync(join(root, "packages", name, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

function* checkFields(name, manifest) {
  const expected = {
    name: nameOf(name),
    license: "Apache-2.0",
    type: "module",
    sideEffects: false,
    ...addressesOf(name),
  };
  for (const [field, value] of Object.entries(expected)) {
    if (!isDeepStrictEqual(manifest[field], value))
      yield [field, `must be ${JSON.stringify(value)}: it is ${JSON.stringify(manifest[field])}`];
  }
  if (!/^[A-Z].{20,}\.$/.test(manifest.description ?? "")) yield ["description", "must be a sentence"];
  if (!(manifest.keywords?.length >= 3)) yield ["keywords", "must list three words or more to be found by"];
  if (manifest.scripts?.prepack !== PREPARE)
    yield ["scripts", `must have "prepack": ${JSON.stringify(PREPARE)}, as tarballs must carry the license`];
  if (manifest.engines?.node !== ">=20") yield ["engines", 'must be {"node":">=20"}'];
  for (const part of ["NOTICE", "dist", "!src/**/*.test.ts"])
    if (!manifest.files?.includes(part)) yield ["files", `must list ${JSON.stringify(part)}`];
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {}))
    if (isOurs(dependency) && range !== `^${manifest.version}`)
      yield ["dependencies", `must take ${dependency} at ^${manifest.version}: it takes ${range}`];
  if (!manifest.scripts?.build) yield ["scripts", "must have build"];
  for (const [path, entry] of Object.entries(manifest.exports ?? {})) {
    const keys = Object.keys(entry).join(", ");
    if (path === "./package.json") continue;
    if (!/^@isthmus\/source, types, (?:browser, )?default$/.test(keys))
      yield ["exports", `must have source, types and default in this order: "${path}" has ${keys}`];
    for (const target of Object.values(entry).flatMap(targetsOf)) {
      if (target.startsWith("./src/") && !existsSync(join(root, "packages", name, target)))
        yield ["exports", `points to ${target}, which is missing`];
    }
  }
  if (!manifest.exports?.["."]) yield ["exports", 'must have "."'];
}

function checkIndex(name) {
  const path = join(root, "packages", name, "src", "index.ts");
  if (!existsSync(path)) return;
  const code = readFileSync(path, "utf8")
    .replace(/export (?:type )?\{[^}]*\}(?: from "[^"]+")?;/g, "")
    .trim();
  if (code !== "")
    findings.push(
      `packages/${name}/src/index.ts must only list names: it has ${JSON.stringify(code.slice(0, 60))}`,
    );
}

function checkReadme(name) {
  const path = join(root, "packages", name, "README.md");
  if (!existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  if (!text.startsWith(`# ${nameOf(name)}\n`))
    findings.push(`packages/${name}/README.md must start with "# ${nameOf(name)}"`);
  if (!/^## When not to use it$/m.test(text))
    findings.push(`packages/${name}/README.md must have a section "When not to use it"`);
  if (name !== "cli" && !/^```ts$/m.test(text))
    findings.push(`packages/${name}/README.md must have a TypeScript example`);
  for (const target of linksOutside(text))
    findings.push(
      `packages/${name}/README.md must not link out of the package, as others are not there: ${target}`,
    );
  const lines = text.split("\n").length;
  if (lines > 90)
    findings.push(`packages/${name}/README.md must fit one screen, at most 90 lines: it has ${lines}`);
}

/** Whether a dependency is one of the packages here, which are versioned together. */
function isOurs(dependency) {
  return packageNames.some((name) => nameOf(name) === dependency);
}

/** Relative targets of links and images that lead out of the README's own folder. */
function linksOutside(text) {
  const targets = [...text.matchAll(/\]\(([^)\s]+)/g), ...text.matchAll(/(?:src|href)="([^"]+)"/g)];
  return targets
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:|^#/.test(target) && normalize(target).startsWith(".."));
}

/** The umbrella has the project's own name, all others are scoped. */
function nameOf(folder) {
  return folder === "isthmus" ? "isthmus" : `@isthmus/${folder}`;
}
