// Draws the pages of the gallery from the results beside its text, which tools/make-gallery.mjs has measured.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readResult, renderResultPage, titleOfResult } from "@isthmus/report";
import { root } from "../packages.mjs";

/** Folder of the results, from the root. */
const GALLERY = "docs/gallery";

/** Lists the results of the gallery: their paths from the root, and those of their pages below docs/ of the site. */
export function listGallery(): { readonly source: string; readonly page: string }[] {
  return readdirSync(join(root, GALLERY), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ source: `${GALLERY}/${path}`, page: `gallery/${path.replace(/\.json$/, ".html")}` }));
}

/** Draws the page of every result into a folder. */
export async function drawGallery(folder: string): Promise<void> {
  for (const { source, page } of listGallery()) {
    const result = await readResult(join(root, source));
    const { command, version } = result.provenance ?? {};
    const html = await renderResultPage({
      title: await titleOfResult(result),
      result,
      ...(command === undefined ? {} : { commands: [command] }),
      ...(version === undefined ? {} : { version }),
    });
    mkdirSync(dirname(join(folder, page)), { recursive: true });
    writeFileSync(join(folder, page), html);
  }
}
