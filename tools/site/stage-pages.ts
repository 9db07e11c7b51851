// Copies the pages of docs/ and those that are made of sources to the folder that VitePress reads, with links between pages of the
// site, and the outline beside them.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { TOP } from "../../docs/.vitepress/navigation.ts";
import { root } from "../packages.mjs";
import { drawGallery } from "./gallery.ts";
import { generatePages } from "./generated-pages.ts";
import { linkPage, listPlaces } from "./link-pages.ts";
import { listSidebarFindings, makeSidebar, type SiteOutline } from "./outline.ts";
import { BASE, REPOSITORY, SITE, STAGE } from "./project.ts";
import type { SitePage } from "./site-page.ts";
import { listWrittenPages } from "./written-pages.ts";

/** Endings of files beside the pages that pages show or link to. */
const ASSETS = [".svg", ".png", ".json"];

/** Writes all pages to the folder that VitePress reads, and returns them, with the links of the site, and the outline. */
export async function stagePages(): Promise<{
  readonly pages: readonly SitePage[];
  readonly outline: SiteOutline;
}> {
  const generated = await generatePages();
  const pages = [...listWrittenPages(), ...generated.pages];
  const findings = listSidebarFindings(pages, generated.groups);
  if (findings.length > 0) throw new Error(findings.join("\n"));
  const places = listPlaces(pages);
  rmSync(STAGE, { recursive: true, force: true });
  const staged = pages.map((page) => ({ ...page, text: linkPage(page, places) }));
  for (const { page, text, isGenerated } of staged)
    write(`${page}.md`, isGenerated ? `---\neditLink: false\n---\n\n${text}` : text);
  const outline: SiteOutline = {
    base: BASE,
    home: existsSync(join(SITE, "index.html")) ? BASE : `${BASE}docs/`,
    figures: existsSync(join(SITE, "figures.js")) ? `${BASE}figures` : undefined,
    repository: REPOSITORY,
    description: readDescription(),
    sidebar: makeSidebar(generated.groups),
    top: TOP,
  };
  write("outline.json", JSON.stringify(outline));
  copyAssets();
  await drawGallery(join(STAGE, "public"));
  return { pages: staged, outline };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(STAGE, path)), { recursive: true });
  writeFileSync(join(STAGE, path), text);
}

/** Copies pictures and pages of results: VitePress draws pictures into pages, and leaves what is public as it is. */
function copyAssets(): void {
  const docs = join(root, "docs");
  const paths = readdirSync(docs, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith(".vitepress") && ASSETS.includes(extname(path)))
    .sort();
  for (const path of paths)
    for (const folder of [STAGE, join(STAGE, "public")]) cpSync(join(docs, path), join(folder, path));
  cpSync(join(docs, ".vitepress", "icon.svg"), join(STAGE, "public", "icon.svg"));
}

/** The sentence about the project on the first page of the documents. */
function readDescription(): string {
  const [, tagline] = /^ {2}tagline: (.+)$/m.exec(readFileSync(join(root, "docs", "index.md"), "utf8")) ?? [];
  if (tagline === undefined) throw new Error("docs/index.md must have a tagline");
  return tagline;
}
