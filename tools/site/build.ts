// Builds the site into .site/: the page of page/, if there is one, and the documents of docs/ with the reference that is made of sources.
//
//   npm run site
//
// SITE_BASE is the path at which it will be published, such as `/isthmus/`; without it the site stands at the root of a host. The same
// sources give the same bytes. A page without a place in the sidebar, a link that leads nowhere, and a page without a twin in Markdown fail.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.mjs";
import { checkSite } from "./check-site.ts";
import { SITE } from "./project.ts";
import { restrictPages } from "./restrict-pages.ts";
import { stagePages } from "./stage-pages.ts";
import { writeTwins } from "./write-twins.ts";

const started = Date.now();
const run = (...args: readonly string[]): void => {
  execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
};
rmSync(SITE, { recursive: true, force: true });
mkdirSync(SITE);
if (existsSync(join(root, "page", "build.mjs"))) {
  run("page/build.mjs");
  cpSync(join(root, "page", "dist"), SITE, { recursive: true });
}
const { pages, outline } = await stagePages();
run("node_modules/vitepress/bin/vitepress.js", "build", "docs");
restrictPages(join(SITE, "docs"));
const groups = [...new Set(Object.values(outline.sidebar).flat())];
writeTwins(pages, groups, outline.description);
const findings = checkSite(pages);
for (const finding of findings) console.error(`site: ${finding}`);
console.log(
  `site: ${pages.length} pages in ${Math.round((Date.now() - started) / 1000)} s, ${findings.length} findings`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
