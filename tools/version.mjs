// Makes the next version of all packages from the notes in .changeset/: `npm run version`. Packages are versioned
// together, and have one changelog, which is published with the package `isthmus`: its part "Unreleased" becomes the
// account of the version. All notes in full stand in packages/isthmus/changes/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addVersion, listNotes, readNotes } from "./changelog.mjs";
import { readManifest, root, sourceAddress } from "./packages.mjs";
import { runInstalled, runNpm } from "./programs.mjs";

/** Files beside package.json that name the version, and how. */
const NAMED = [
  ["packages/merging/src/version.ts", /VERSION = "[^"]*"/, (version) => `VERSION = "${version}"`],
  ["CITATION.cff", /^version: .*$/m, (version) => `version: ${version}`],
  ["CITATION.cff", /^date-released: .*$/m, () => `date-released: "${new Date().toISOString().slice(0, 10)}"`],
  [
    "clients/python/src/isthmus/_version.py",
    /^__version__ = .*$/m,
    (version) => `__version__ = "${version}"`,
  ],
];

const notes = readNotes(join(root, ".changeset"));
if (notes.length === 0) {
  console.error(
    "Cannot make a version as .changeset/ must hold a note for users: it has none; run npx changeset",
  );
  process.exit(2);
}
const options = { stdio: ["ignore", 2, 2] };
runInstalled("@changesets/cli/bin.js", ["version"], options);
runNpm(["install", "--package-lock-only", "--ignore-scripts"], options);

const { version } = readManifest("isthmus");
const umbrella = join(root, "packages", "isthmus");
const list = `${sourceAddress}/blob/v${version}/packages/isthmus/changes/${version}.md`;
const changelog = join(umbrella, "CHANGELOG.md");
writeFileSync(changelog, addVersion(readFileSync(changelog, "utf8"), { version, notes, list }));
mkdirSync(join(umbrella, "changes"), { recursive: true });
writeFileSync(join(umbrella, "changes", `${version}.md`), listNotes({ version, notes }));
for (const [path, line, write] of NAMED.filter(([path]) => existsSync(join(root, path)))) {
  const text = readFileSync(join(root, path), "utf8");
  if (!line.test(text))
    throw new Error(`Cannot write the version into ${path} as it must have a line ${line}`);
  writeFileSync(join(root, path), text.replace(line, write(version)));
}
console.log(`version: ${version}, ${notes.length} notes`);
