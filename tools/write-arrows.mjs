// Writes tables of packages: what each is for into docs/packages.md, and what each may import into CONTRIBUTING.md.
//
//   node tools/write-arrows.mjs [--check]
//
// The table stands between the markers `<!-- packages -->` and `<!-- /packages -->`. Floors and arrows come from
// tools/layers.json, sentences from the packages' package.json. With `--check` nothing is written: it fails if a table is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { floors } from "./layers.mjs";
import { readManifest, report, root } from "./packages.mjs";

const BLOCK = /(<!-- packages -->\n)[\s\S]*?(<!-- \/packages -->)/;
const isCheck = process.argv.includes("--check");
const findings = [];
for (const [path, table] of [
  ["docs/packages.md", describe()],
  ["CONTRIBUTING.md", arrows()],
]) {
  const text = readFileSync(join(root, path), "utf8");
  if (!BLOCK.test(text)) findings.push(`${path} has no block <!-- packages -->`);
  const written = text.replace(BLOCK, `$1\n${table}\n\n$2`);
  if (written === text) continue;
  if (isCheck) findings.push(`${path} has a stale table of packages: run "node tools/write-arrows.mjs"`);
  else writeFileSync(join(root, path), written);
}
report("write-arrows", findings);

/** What each package is for, from the lowest floor up. */
function describe() {
  const rows = floors.flatMap(([floor, packages]) =>
    packages.map(([name], i) => {
      const sentence = readManifest(name).description.replace(/\.$/, "");
      return `| ${i === 0 ? floor : ""} | [${name}](../packages/${name}) | ${sentence} |`;
    }),
  );
  return ["| layer | package | what it is for |", "|---|---|---|", ...rows].join("\n");
}

/** Which packages each package imports, from the highest floor down. */
function arrows() {
  const rows = floors.toReversed().flatMap(([floor, packages]) =>
    packages.map(([name, imports], i) => {
      return `| ${i === 0 ? floor : ""} | ${name} | ${imports.join(", ") || "nothing of ours"} |`;
    }),
  );
  return ["| layer | package | may import |", "|---|---|---|", ...rows].join("\n");
}
