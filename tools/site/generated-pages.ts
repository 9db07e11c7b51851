// Makes the pages of the reference that stand in the sources.
import type { PageGroup } from "../../docs/.vitepress/navigation.ts";
import type { SitePage } from "./site-page.ts";

/** Pages that are made of sources, and where the sidebar shows them. */
export interface GeneratedPages {
  /** The pages. */
  readonly pages: readonly SitePage[];
  /** Groups of the sidebar that list them. */
  readonly groups: readonly PageGroup[];
}

/** Makes all pages of the reference. */
export async function generatePages(): Promise<GeneratedPages> {
  return { pages: [], groups: [] };
}
