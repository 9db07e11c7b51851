// Lists the pages that people write: those of docs/, and the two beside it that the site shows, too.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { documentsOf } from "../code-blocks.mjs";
import { root } from "../packages.mjs";
import type { SitePage } from "./site-page.ts";

/** Files outside docs/ that are pages of the site, by their paths there. */
const BESIDE: Readonly<Record<string, string>> = {
  "FEATURES.md": "reference/features",
  "packages/isthmus/CHANGELOG.md": "reference/changes",
};

/** Lists the pages of docs/ and those beside it. */
export function listWrittenPages(): SitePage[] {
  const read = (source: string): Pick<SitePage, "folder" | "source" | "text"> => ({
    folder: posix.dirname(source),
    source,
    text: readFileSync(join(root, source), "utf8"),
  });
  return [
    ...documentsOf("docs").map((source) => ({
      ...read(source),
      page: source.replace(/^docs\/|\.md$/g, ""),
      isGenerated: false,
    })),
    ...Object.entries(BESIDE).map(([source, page]) => ({ ...read(source), page, isGenerated: true })),
  ];
}
