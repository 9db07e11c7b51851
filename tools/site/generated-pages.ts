// Makes the pages of the reference that stand in the sources.
import type { PageGroup } from "../../docs/.vitepress/navigation.ts";
import { makeApiPages } from "./api/api-pages.ts";
import { makeErrorPages } from "./error-pages.ts";
import { makeSchemaPages } from "./schema-pages.ts";
import type { SitePage } from "./site-page.ts";
import { makeVerbPages } from "./verb-pages.ts";

/** Pages that are made of sources, and where the sidebar shows them. */
export interface GeneratedPages {
  /** The pages. */
  readonly pages: readonly SitePage[];
  /** Groups of the sidebar that list them. */
  readonly groups: readonly PageGroup[];
}

/** Makes all pages of the reference. */
export async function generatePages(): Promise<GeneratedPages> {
  const api = makeApiPages();
  const verbs = await makeVerbPages();
  const [errors, ...errorsOfPackages] = makeErrorPages();
  return {
    pages: [
      ...makeSchemaPages(),
      ...(errors === undefined ? [] : [errors]),
      ...errorsOfPackages,
      ...verbs.flatMap(({ pages }) => pages),
      ...api,
    ],
    groups: [
      ...verbs.map(({ purpose, pages }) => groupOf(purpose, pages)),
      groupOf("Packages", api),
      groupOf("Errors", errorsOfPackages),
    ],
  };
}

function groupOf(text: string, pages: readonly SitePage[]): PageGroup {
  const entries = pages.map(({ page }) => ({ text: page.split("/").at(-1) ?? "", page }));
  return { text, pages: entries, collapsed: true };
}
