// Finds the TypeScript of documents and doc comments.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "./packages.mjs";

/** Paths of the READMEs and the pages of docs/. */
export const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...packageNames.map((name) => `packages/${name}/README.md`),
];

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
