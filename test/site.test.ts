import { describe, expect, it } from "vitest";
import { generatePages } from "../tools/site/generated-pages.ts";
import { linkPage, listPlaces } from "../tools/site/link-pages.ts";
import { listSidebarFindings } from "../tools/site/outline.ts";
import type { SitePage } from "../tools/site/site-page.ts";
import { listWrittenPages } from "../tools/site/written-pages.ts";

const generated = await generatePages();
const pages = [...listWrittenPages(), ...generated.pages];

/** Makes a page of docs/ with a text. */
function pageOf(page: string, text: string): SitePage {
  return { page, source: `docs/${page}.md`, text, isGenerated: false };
}

describe("the site of docs/", () => {
  it("has every page in the sidebar once, and nothing else there", () => {
    expect(listSidebarFindings(pages, generated.groups)).toEqual([]);
  });

  it("refuses a page that is in no list, and a list that names no page", () => {
    const others = pages.filter(({ page }) => page !== "data");
    expect(listSidebarFindings([...others, pageOf("lost", "")], generated.groups)).toEqual([
      "docs/lost.md is in no list of docs/.vitepress/navigation.ts",
      "docs/.vitepress/navigation.ts lists data, which is no page",
    ]);
  });

  it("has only links that lead to a page, or to a file of the repository", () => {
    const places = listPlaces(pages);
    expect(() => pages.map((page) => linkPage(page, places))).not.toThrow();
  });

  it("leads links to pages where there is one, else to the repository, and leaves code alone", () => {
    const text = "[a](../data.md#x) [b](../../FEATURES.md) [c](../../LICENSE) `[d](e.md)` [f](https://g.h)";
    const linked = linkPage(pageOf("start/script", text), listPlaces(pages));
    expect(linked).toMatch(
      /^\[a\]\(\.\.\/data\.md#x\) \[b\]\(\.\.\/reference\/features\.md\) \[c\]\(https:\S+\/blob\/main\/LICENSE\) `\[d\]\(e\.md\)` \[f\]\(https:\/\/g\.h\)$/,
    );
  });

  it("refuses a link to a file that does not exist", () => {
    expect(() => linkPage(pageOf("start/script", "[a](gone.md)"), new Map())).toThrow(
      "docs/start/script.md links to gone.md, which is no file",
    );
  });
});
