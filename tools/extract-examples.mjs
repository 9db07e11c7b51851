// Writes every TypeScript block of a README or a page of docs/ and every @example of a doc comment as a module under test/examples/,
// so that they are type-checked and run: documentation that does not work fails the build.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root, sourceFiles } from "./packages.mjs";

const folder = join(root, "test", "examples");
const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const readmes = [
  "README.md",
  ...pages.map((name) => `docs/${name}`),
  ...packageNames.map((name) => `packages/${name}/README.md`),
];
const sources = packageNames.flatMap((name) => sourceFiles(name));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let count = 0;
for (const path of readmes) writeBlocks(path, readFileSync(join(root, path), "utf8"));
for (const path of sources) writeBlocks(path, exampleText(readFileSync(join(root, path), "utf8")));
console.log(`extract-examples: ${count} examples`);

/** Text of the @example tags of all doc comments, without the comment's stars. */
function exampleText(source) {
  const comments = source.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  return comments
    .filter((comment) => comment.includes("@example"))
    .map((comment) =>
      comment
        .replace(/^[ \t]*\* ?/gm, "")
        .split("@example")
        .slice(1)
        .join("\n"),
    )
    .join("\n");
}

function writeBlocks(path, text) {
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
  const stem = path
    .replace(/^packages\//, "")
    .replaceAll("/src/", "/")
    .replace(/\.(md|ts)$/, "")
    .replaceAll("/", "-")
    .toLowerCase();
  blocks.forEach((block, index) => {
    count++;
    writeFileSync(join(folder, `${stem}-${index + 1}.ts`), `// From ${path}\n${block}export {};\n`);
  });
}
