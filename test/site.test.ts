import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { readResult } from "@isthmus/report";
import { describe, expect, it } from "vitest";
import { root } from "../tools/packages.mjs";
import { readApi } from "../tools/site/api/api-pages.ts";
import { ERROR_ADVICE } from "../tools/site/error-advice.ts";
import { listErrorMessages } from "../tools/site/error-messages.ts";
import { findWords, listExplained } from "../tools/site/first-errors.ts";
import { listGallery } from "../tools/site/gallery.ts";
import { generatePages } from "../tools/site/generated-pages.ts";
import { linkPage, listPlaces } from "../tools/site/link-pages.ts";
import { listSidebarFindings } from "../tools/site/outline.ts";
import type { SitePage } from "../tools/site/site-page.ts";
import { listWrittenPages } from "../tools/site/written-pages.ts";

const generated = await generatePages();
const pages = [...listWrittenPages(), ...generated.pages];

/** Makes a page of docs/ with a text. */
function pageOf(page: string, text: string): SitePage {
  return { page, folder: posix.dirname(`docs/${page}`), source: `docs/${page}.md`, text, isGenerated: false };
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

describe("the reference that is made of the sources", () => {
  const messages = listErrorMessages();
  const textOf = (page: string): string | undefined => pages.find((made) => made.page === page)?.text;

  it("has a comment on every name that a package exports", () => {
    const items = [...readApi().values()].flat().flatMap(({ items: names }) => names);
    expect(items.length).toBeGreaterThan(2000);
    expect(
      items.filter(({ comment }) => comment.text === "").map(({ name, path }) => `${path} ${name}`),
    ).toEqual([]);
  });

  it("has a comment on every field and method of classes and interfaces but constructors", () => {
    const items = [...readApi().values()].flat().flatMap(({ items: names }) => names);
    const bare = items.flatMap(({ name, members }) =>
      members
        .filter(({ comment, signature }) => comment.text === "" && !signature.startsWith("constructor("))
        .map(({ signature }) => `${name}: ${signature}`),
    );
    expect(bare).toEqual([]);
  });

  it("has no two headings of one place on a page", () => {
    for (const { page, text } of pages) {
      const places = [...text.matchAll(/^#+ .* \{#([\w-]+)\}$/gm)].map(([, place]) => place);
      expect([page, new Set(places).size]).toEqual([page, places.length]);
    }
  });

  it("shows a function with its signature, parameters, errors and example", () => {
    const page = textOf("reference/api/barrier") ?? "";
    const [, section = ""] = page.split("### measureBarrier {#measureBarrier}");
    const [shown = ""] = section.split("\n### ");
    expect(shown).toContain("function measureBarrier(");
    expect(shown).toContain("- **Throws** ");
    expect(shown).toContain("assert(barrier.loss.chord > 1)");
  });

  it("shows the options of a verb with defaults and the examples of its help", () => {
    const page = textOf("reference/verbs/barrier") ?? "";
    expect(page).toContain(
      "- `--points <n>`: number of evenly spaced places, both ends among them (default: 25)",
    );
    expect(page).toMatch(/```sh\n# [\s\S]*?isthmus barrier /);
  });

  it("has a page for every verb, those of federations and queues on one page each", () => {
    expect(textOf("reference/verbs/federate")).toContain("## isthmus federate simulate");
    expect(textOf("reference/verbs/queue")).toContain("## isthmus queue retry");
  });

  it("lists the keys of recipes with their methods", () => {
    const page = textOf("reference/recipe") ?? "";
    expect(page).toContain("  - `task_arithmetic`: Adds each network's weighted difference to the base.");
    expect(page).toContain("- `model` ([model](#model), required)");
  });

  it("finds the words of errors through constants, calls and choices", () => {
    const words = new Set(messages.map((message) => message.words));
    expect(words.size).toBeGreaterThan(1000);
    expect(words).toContain(
      "Cannot merge adapters with ‹option› as it is for networks: leave it out, or merge models as base+adapter by a recipe",
    );
    expect([...words].filter((text) => /\[object/.test(text))).toEqual([]);
  });

  it("links to the explanation of each message that docs/errors.md has, as the sources still have them all", () => {
    const explained = listExplained();
    expect(explained.length).toBeGreaterThan(5);
    for (const { message, link } of explained) {
      const found = findWords(message, messages);
      expect(found, message).toBeDefined();
      expect(textOf(`reference/errors/${found?.owner}`)).toContain(`(${link})`);
    }
  });

  it("gives no advice to errors that there are not", () => {
    const idle = ERROR_ADVICE.filter(({ words }) => !messages.some((message) => words.test(message.words)));
    expect(idle.map(({ words }) => words.source)).toEqual([]);
  });
});

describe("the gallery", () => {
  const text = readFileSync(join(root, "docs", "gallery", "index.md"), "utf8");
  const sections = text.split(/^## /m).slice(1);

  it("has at least ten results, and no other than those that its page shows", () => {
    const linked = [...text.matchAll(/\]\(([^)]+\.json)\)/g)].map(([, path = ""]) => `docs/gallery/${path}`);
    expect(linked.length).toBeGreaterThanOrEqual(10);
    expect(listGallery().map(({ source }) => source)).toEqual(linked.sort());
  });

  it.each(sections.map((section) => [section.split("\n")[0] ?? "", section] as const))(
    "%s was made by the command that is shown",
    async (_, section) => {
      const [, path = ""] = /\]\(([^)]+\.json)\)/.exec(section) ?? [];
      const { provenance } = await readResult(join(root, "docs", "gallery", path));
      // What follows says where the result goes, or is quoted in another way.
      const plain = (line: string): string => line.replace(/ (?:-o|--json|>) .*$/, "").replaceAll("'", "");
      const lines = section
        .replace(/\\\n */g, "")
        .split("\n")
        .map(plain);
      expect(lines).toContain(plain(provenance?.command ?? ""));
    },
  );
});
