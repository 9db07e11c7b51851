// Turns links between files of the repository into links between pages of the site.
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "../packages.mjs";
import { listGallery } from "./gallery.ts";
import { REPOSITORY } from "./project.ts";
import type { SitePage } from "./site-page.ts";

/** Code, whose brackets are no links, or the target of a link or picture. */
const CODE_OR_LINK = /^( *)(`{3,})[\s\S]*?^\1\2$|(`+)(?!`)[\s\S]*?(?<!`)\3(?!`)|\]\(([^()\s]+)\)/gm;

/**
 * Returns the text of a page with links that lead to pages of the site if there is one for the file, else to the
 * file in the repository.
 *
 * @param places - files of the site by the path of the file, or folder, that each stands for
 * @throws Error if a link leads to no file
 */
export function linkPage({ page, folder, text }: SitePage, places: ReadonlyMap<string, string>): string {
  return text.replace(CODE_OR_LINK, (match: string, ...[, , , target]: (string | undefined)[]) =>
    target === undefined || /^(?:[a-z]+:|#|\/)/.test(target) ? match : `](${relink(target)}`,
  );

  /** What stands in place of a target and its bracket. */
  function relink(target: string): string {
    const [path = "", anchor] = target.split("#");
    const file = posix.join(folder, path).replace(/\/$/, "");
    const hash = anchor === undefined ? "" : `#${anchor}`;
    const place = places.get(file);
    // VitePress would look for the source of a page of results, unless the browser itself is to open it.
    if (place?.endsWith(".html")) return `${relative(page, place)}${hash}){target="_self"}`;
    if (place !== undefined) return `${relative(page, place)}${hash})`;
    if (!existsSync(join(root, file)))
      throw new Error(`docs/${page}.md links to ${target}, which is no file`);
    if (file.startsWith("docs/")) return `${relative(page, file.slice("docs/".length))})`;
    const kind = statSync(join(root, file)).isDirectory() ? "tree" : "blob";
    return `${REPOSITORY}/${kind}/main/${file}${hash})`;
  }
}

/** Path from one page to another file of the site. */
function relative(page: string, target: string): string {
  const path = posix.relative(posix.dirname(page), target);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Lists which file of the site stands for which file or folder of the repository. */
export function listPlaces(pages: readonly SitePage[]): Map<string, string> {
  const places = pages.flatMap(({ page, source }) =>
    source === undefined ? [] : [[source, `${page}.md`] as const],
  );
  // A link to the folder of a package leads to the page that shows its README.
  const folders = places.map(([source, page]) => [source.replace(/\/README\.md$/, ""), page] as const);
  const results = listGallery().map(({ source, page }) => [source, page] as const);
  return new Map([...places, ...folders, ...results]);
}
