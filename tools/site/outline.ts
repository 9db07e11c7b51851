// Joins the tables of docs/.vitepress/navigation.ts with the pages that the build makes, and checks that both name the same pages.
import { LEARN, type PageEntry, type PageGroup, REFERENCE, TOP } from "../../docs/.vitepress/navigation.ts";
import type { SitePage } from "./site-page.ts";

/** What docs/.vitepress/config.ts has to know of the pages. */
export interface SiteOutline {
  /** Path at which the site is published. */
  readonly base: string;
  /** Path of the first page of the site: the page of page/, or that of the documents. */
  readonly home: string;
  /** Path of the script of live figures; undefined if page/ has none. */
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
  const reference = [...REFERENCE, ...generated];
  // VitePress takes the group of the longest path that the page begins with.
  const named = reference.flatMap(({ pages }) => pages.map(({ page }) => [`/${page}`, reference] as const));
  return { "/": LEARN, ...Object.fromEntries(named) };
}

/** Lists what is wrong between the sidebar and the pages. */
export function listSidebarFindings(pages: readonly SitePage[], generated: readonly PageGroup[]): string[] {
  const listed = [...LEARN, ...REFERENCE, ...generated]
    .flatMap((group) => group.pages)
    .map(({ page }) => page);
  const there = pages.map(({ page }) => page);
  const missing = there.filter((page) => !listed.includes(page));
  const twice = listed.filter((page, i) => listed.indexOf(page) !== i);
  const dead = [...listed, ...TOP.map(({ page }) => page)].filter((page) => !there.includes(page));
  return [
    ...missing.map((page) => `docs/${page}.md is in no list of docs/.vitepress/navigation.ts`),
    ...twice.map((page) => `docs/.vitepress/navigation.ts lists ${page} twice`),
    ...dead.map((page) => `docs/.vitepress/navigation.ts lists ${page}, which is no page`),
  ];
}
