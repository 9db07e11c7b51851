// Writes the pages as plain Markdown beside their HTML, and llms.txt and llms-full.txt, which list them and hold them all.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PageGroup } from "../../docs/.vitepress/navigation.ts";
import { BASE, REPOSITORY, SITE } from "./project.ts";
import type { SitePage } from "./site-page.ts";

/** Writes the twin of every page, and the two lists. */
export function writeTwins(pages: readonly SitePage[], groups: readonly PageGroup[], summary: string): void {
  // Names of places and targets of links are for VitePress alone.
  const plain = (text: string): string =>
    text.replace(/^(#+ .*) \{#[\w-]+\}$/gm, "$1").replaceAll('){target="_self"}', ")");
  const texts = new Map(pages.map(({ page, text }) => [page, plain(text)]));
  for (const [page, text] of texts) {
    const path = join(SITE, "docs", `${page}.md`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const about = `# Isthmus\n\n> ${summary}\n\nSources: ${REPOSITORY}\n`;
  const sections = groups.map(({ text, pages: entries }) => {
    const lines = entries.map((entry) => `- [${entry.text}](${BASE}docs/${entry.page}.md)`);
    return `## ${text}\n\n${lines.join("\n")}\n`;
  });
  writeFileSync(join(SITE, "llms.txt"), [about, ...sections].join("\n"));
  // A page may stand in two lists.
  const listed = new Set(groups.flatMap(({ pages: entries }) => entries.map(({ page }) => page)));
  const whole = [...listed].map(
    (page) => `<!-- ${BASE}docs/${page}.md -->\n\n${(texts.get(page) ?? "").trim()}\n`,
  );
  writeFileSync(join(SITE, "llms-full.txt"), [about, ...whole].join("\n"));
  for (const name of ["llms.txt", "llms-full.txt"]) cpSync(join(SITE, name), join(SITE, "docs", name));
}
