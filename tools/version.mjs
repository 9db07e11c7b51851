// Makes the next version of all packages from the notes in .changeset/: `npm run version`. Packages are versioned
// together, so each note is written once, with the packages it concerns, to the one changelog, which is published
// with the package `isthmus`.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest, root } from "./packages.mjs";

const HEADING = "# Changes\n\nAll packages have one version. Each note names the packages it concerns.\n";
const SECTIONS = { major: "Changes that break", minor: "New", patch: "Fixed" };

const notes = readNotes(join(root, ".changeset"));
if (notes.length === 0) {
  console.error(
    "Cannot make a version as .changeset/ must hold a note for users: it has none; run npx changeset",
  );
  process.exit(2);
}
const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
run(join(root, "node_modules", ".bin", "changeset"), "version");
run("npm", "install", "--package-lock-only", "--ignore-scripts");
const source = join(root, "packages", "merging", "src", "version.ts");
const released = `VERSION = ${JSON.stringify(readManifest("merging").version)}`;
writeFileSync(source, readFileSync(source, "utf8").replace(/VERSION = "[^"]*"/, released));

const path = join(root, "packages", "isthmus", "CHANGELOG.md");
const earlier = existsSync(path) ? readFileSync(path, "utf8").slice(HEADING.length) : "";
const { version } = readManifest("isthmus");
writeFileSync(path, `${HEADING}\n## ${version}\n${writeSections(notes)}${earlier}`);
console.log(`version: ${version}, ${notes.length} notes`);

/** Reads the notes of a folder: for each its kind (the largest of its packages), packages and text. */
function readNotes(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => {
      const [, header, text] = readFileSync(join(folder, file), "utf8").match(
        /^---\n([\s\S]*?)---\n([\s\S]*)$/,
      );
      const bumps = [...header.matchAll(/^"([^"]+)": (major|minor|patch)$/gm)];
      const kind = Object.keys(SECTIONS).find((section) => bumps.some(([, , bump]) => bump === section));
      const packages = bumps.map(([, name]) => name.replace("@isthmus/", ""));
      return { kind, packages, text: text.trim() };
    });
}

function writeSections(all) {
  const sections = Object.entries(SECTIONS).map(([kind, title]) => {
    const items = all.filter((note) => note.kind === kind).map(writeItem);
    return items.length === 0 ? "" : `\n### ${title}\n\n${items.join("\n")}\n`;
  });
  return sections.join("");
}

/** One note as an item of a list: its packages in front, its further lines indented. */
function writeItem({ packages, text }) {
  return `- **${packages.join(", ")}**: ${text.replace(/\n(?=.)/g, "\n  ")}`;
}
