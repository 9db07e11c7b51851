// Writes clients/python/README.md, which PyPI shows, from docs/python.md: links lead to the published site.
//
//   node tools/write-python-readme.mjs [--check]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

const path = join(root, "clients", "python", "README.md");
const { homepage, repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const files = `${repository.url.replace(/^git\+/, "").replace(/\.git$/, "")}/blob/main/`;
const page = readFileSync(join(root, "docs", "python.md"), "utf8")
  .replace(/\]\(\.\.\/([^)]+)\)/g, `](${files}$1)`)
  .replace(/\]\(([\w-]+)\.md(#[\w-]+)?\)/g, `](${homepage}docs/$1$2)`);

if (!process.argv.includes("--check")) writeFileSync(path, page);
else if (readFileSync(path, "utf8") !== page) {
  console.error(
    "clients/python/README.md differs from docs/python.md: run node tools/write-python-readme.mjs",
  );
  process.exit(1);
}
