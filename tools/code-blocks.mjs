// Finds the TypeScript of documents and doc comments.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "./packages.mjs";

/** Paths of the READMEs and the pages of docs/. */
export const documents = [
  "README.md",
  ...documentsOf("docs"),
  ...packageNames.map((name) => `packages/${name}/README.md`),
];

/** Lists the pages in a folder of the repository, and in folders below it; what tools make of them begins with a dot. */
export function documentsOf(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".md") && !path.startsWith("."))
    .map((path) => `${folder}/${path}`)
    .sort();
}

/** TypeScript blocks of a text in Markdown. */
export function codeBlocks(text) {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
}

/** Text of the @example tags of all doc comments, without the comment's stars. */
export function exampleText(source) {
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
