// Joins the tables of docs/.vitepress/navigation.ts with the pages that the build makes, and checks that both name the same pages.
import { LEARN, type PageEntry, type PageGroup, REFERENCE, TOP } from "../../docs/.vitepress/navigation.ts";
import type { SitePage } from "./site-page.ts";

/** File of the lists. */
const TABLE = "docs/.vitepress/navigation.ts";

/** What docs/.vitepress/config.ts has to know of the pages. */
export interface SiteOutline {
  /** Path at which the site is published. */
  readonly base: string;
  /** Path of the first page of the site: the page of page/, or that of the documents. */
  readonly home: string;
  /** Path of the script and the style sheet of live figures without their endings; undefined if page/ has none. */
  readonly figures: string | undefined;
  /** Address of the repository. */
  readonly repository: string;
  /** One sentence about the project. */
  readonly description: string;
  /** Groups of the sidebar by the path of the pages that they stand beside. */
  readonly sidebar: Readonly<Record<string, readonly PageGroup[]>>;
  /** Links at the top. */
  readonly top: readonly PageEntry[];
}

/**
 * Makes the sidebar of every page.
 *
 * @param generated - groups of pages that the build makes
 */
export function makeSidebar(generated: readonly PageGroup[]): SiteOutline["sidebar"] {
  // VitePress takes the groups of the longest path that the page begins with. Every page holds them all: there are few.
  return { "/": LEARN, "/reference/": [...REFERENCE, ...generated] };
}

/** Lists what is wrong between the sidebar and the pages. */
export function listSidebarFindings(pages: readonly SitePage[], generated: readonly PageGroup[]): string[] {
  const lists = Object.values(makeSidebar(generated)).map((groups) =>
    groups.flatMap((group) => group.pages.map(({ page }) => page)),
  );
  const listed = new Set([...lists.flat(), ...TOP.map(({ page }) => page)]);
  const there = new Set(pages.map(({ page }) => page));
  const twice = lists.flatMap((list) => list.filter((page, i) => list.indexOf(page) !== i));
  return [
    ...[...there]
      .filter((page) => !listed.has(page))
      .map((page) => `docs/${page}.md is in no list of ${TABLE}`),
    ...twice.map((page) => `${TABLE} lists ${page} twice`),
    ...[...listed]
      .filter((page) => !there.has(page))
      .map((page) => `${TABLE} lists ${page}, which is no page`),
  ];
}
