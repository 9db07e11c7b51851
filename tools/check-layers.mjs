// Checks that packages depend on each other only along the arrows of layers.json: in package.json, in tsconfig.json
// and in every import under src. Tests may import anything.
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { floors, layers } from "./layers.mjs";
import { codeOf, importsOf, packageNames, readManifest, report, root, sourceFiles } from "./packages.mjs";

const SCOPE = "@isthmus/";
/** The one place where functions of Node.js are imported for the packages that also run in browsers. */
const NODE_SIDE = join("packages", "platform", "src", "node");
const NODE_INDEX = join("packages", "platform", "src", "index.ts");
const adapters = floors.findIndex(([floor]) => floor === "adapters");
const below = new Set(floors.slice(0, adapters).flatMap(([, packages]) => packages.map(([name]) => name)));
const findings = [];

for (const name of packageNames) {
  const allowed = layers[name];
  if (!allowed) {
    findings.push(`packages/${name} is not in tools/layers.json`);
    continue;
  }
  checkManifest(name, allowed);
  checkReferences(name, allowed);
  for (const path of sourceFiles(name)) {
    checkImports(path, name, allowed);
    if (runsInBrowsers(name)) checkGlobals(path);
  }
  checkUse(name);
}
for (const name of Object.keys(layers)) checkAcyclic(name, []);
report("check-layers", findings);

function checkManifest(name, allowed) {
  const manifest = readManifest(name);
  const own = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    .filter((dependency) => dependency.startsWith(SCOPE))
    .map((dependency) => dependency.slice(SCOPE.length));
  for (const dependency of own) {
    if (!allowed.includes(dependency)) {
      findings.push(
        `packages/${name}/package.json depends on ${dependency}: layers.json allows ${list(allowed)}`,
      );
    }
  }
}

function checkReferences(name, allowed) {
  const config = JSON.parse(readFileSync(join(root, "packages", name, "tsconfig.json"), "utf8"));
  for (const { path } of config.references ?? []) {
    const target = path.replace("../", "");
    if (!allowed.includes(target))
      findings.push(
        `packages/${name}/tsconfig.json references ${target}: layers.json allows ${list(allowed)}`,
      );
  }
}

function checkImports(path, name, allowed) {
  const manifest = readManifest(name);
  // Packages that are only devDependencies are bundled.
  const declared = Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.devDependencies,
  });
  for (const specifier of importsOf(path)) {
    if (specifier.startsWith(".")) {
      if (/^(\.\.?\/)+index\.ts$/.test(specifier))
        findings.push(`${path} imports an index.ts: import the module itself`);
      continue;
    }
    if (specifier.startsWith("node:")) {
      if (runsInBrowsers(name) && !path.startsWith(NODE_SIDE) && path !== NODE_INDEX)
        findings.push(
          `${path} imports ${specifier}: import it from @isthmus/platform, as it runs in browsers, too`,
        );
      continue;
    }
    const parts = specifier.split("/");
    const dependency = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
    if (builtinModules.includes(dependency))
      findings.push(`${path} imports ${specifier}: write node:${specifier}`);
    if (dependency.startsWith(SCOPE) && !allowed.includes(dependency.slice(SCOPE.length))) {
      findings.push(`${path} imports ${specifier}: layers.json allows ${list(allowed)}`);
    } else if (!declared.includes(dependency)) {
      findings.push(`${path} imports ${specifier}: packages/${name}/package.json does not depend on it`);
    }
  }
}

/** Whether the code of a package must run in browsers: that of all layers below the adapters. */
function runsInBrowsers(name) {
  return below.has(name);
}

/** Code for browsers uses no global of Node.js. */
function checkGlobals(path) {
  if (path.startsWith(NODE_SIDE)) return;
  const code = codeOf(path);
  if (/\bBuffer\b/.test(code))
    findings.push(`${path} uses Buffer: use Uint8Array, as browsers have no Buffer`);
  if (
    /\bprocess\./.test(code) &&
    !/\bprocess\b[^;]*\} from "@isthmus\/platform";/.test(code) &&
    !path.includes("/browser/")
  )
    findings.push(`${path} uses the global process: import it from @isthmus/platform`);
}

/** What a package depends on it also imports, in its sources or kernels. */
function checkUse(name) {
  const { dependencies = {} } = readManifest(name);
  const bin = existsSync(join(root, "packages", name, "bin"))
    ? sourceFiles(name, { folder: "bin", ending: ".js" })
    : [];
  const imported = new Set([...sourceFiles(name), ...bin].flatMap(importsOf));
  for (const dependency of Object.keys(dependencies).filter((used) => used.startsWith(SCOPE))) {
    const isUsed = [...imported].some((path) => path === dependency || path.startsWith(`${dependency}/`));
    if (!isUsed)
      findings.push(`packages/${name}/package.json depends on ${dependency} and imports it nowhere`);
  }
}

function checkAcyclic(name, trail) {
  if (trail.includes(name)) findings.push(`layers.json has a cycle: ${[...trail, name].join(" -> ")}`);
  else for (const next of layers[name] ?? []) checkAcyclic(next, [...trail, name]);
}

function list(names) {
  return names.length === 0 ? "nothing of ours" : names.join(", ");
}
