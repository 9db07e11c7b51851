// Writes every TypeScript block of a README or a page of docs/ and every @example of a doc comment as a module under test/examples/,
// so that they are type-checked and run: documentation that does not work, or that asserts nothing, fails the build.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeBlocks, documents, exampleText } from "./code-blocks.mjs";
import { packageNames, report, root, sourceFiles } from "./packages.mjs";

const folder = join(root, "test", "examples");
const sources = packageNames.flatMap((name) => sourceFiles(name));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const silent = [];
for (const path of documents) writeBlocks(path, readFileSync(join(root, path), "utf8"));
for (const path of sources) writeBlocks(path, exampleText(readFileSync(join(root, path), "utf8")));
report("extract-examples", silent);

function writeBlocks(path, text) {
  const stem = path
    .replace(/^packages\//, "")
    .replaceAll("/src/", "/")
    .replace(/\.(md|ts)$/, "")
    .replaceAll("/", "-")
    .toLowerCase();
  codeBlocks(text).forEach((block, index) => {
    if (!/\bassert/.test(block)) silent.push(`${path}: example ${index + 1} must assert what it shows`);
    writeFileSync(join(folder, `${stem}-${index + 1}.ts`), `// From ${path}\n${block}export {};\n`);
  });
}
