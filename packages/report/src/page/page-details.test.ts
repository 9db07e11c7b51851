import { describe, expect, it } from "vitest";
import { dropoutStabilityResult } from "../../test/dropout-results.ts";
import { attackResult } from "../../test/ensemble-results.ts";
import { landscapeResult } from "../../test/landscape-result.ts";
import { allOf, parsePage } from "../../test/parse-page.ts";
import { similarityResult } from "../../test/similarity-result.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { renderResultPage } from "./render-result-page.ts";

const pageOf = (result: DrawableResult): Promise<string> =>
  renderResultPage({ title: `Of ${result.kind}`, result, commands: ["isthmus again"] });

describe("renderResultPage()", () => {
  it("tells tables of one section apart, and figures by colours of their own", async () => {
    const result = similarityResult();
    const [first] = result.tables;
    const numbers = [
      ...["linear-cka", "rbf-cka", "svcca", "pwcca", "procrustes"],
      ...["relative-cosine", "relative-mrr", "relative-jaccard"],
    ] as const;
    const tables = numbers.map((number) => ({ ...first, values: first?.values ?? [], number }));
    const document = parsePage(await pageOf({ ...result, tables } as typeof result));
    const captions = allOf(document, "caption").map(({ textContent }) => textContent);
    expect(new Set(captions).size).toBe(captions.length);
    const strokes = allOf(document, "#figure-diagonal .full [stroke]").map((mark) =>
      mark.getAttribute("stroke"),
    );
    const colors = new Set(strokes.filter((stroke) => stroke?.startsWith("var(--isthmus-curve-")));
    expect(colors.size).toBe(numbers.length);
  });

  it("breaks a command between its words, which stay as they were typed", async () => {
    const command = "isthmus attack a.pt --in-turn 'lgv/net-*.pt'  --eps 0.1";
    const page = await renderResultPage({
      title: "",
      result: attackResult(),
      commands: [command, "isthmus b"],
    });
    const document = parsePage(page);
    expect(document.querySelector("pre code")?.textContent).toBe(`${command}\nisthmus b`);
    const words = allOf(document, "pre span").map(({ textContent }) => textContent);
    expect(words).toEqual([...command.split(/ +/), "isthmus", "b"]);
  });

  it("says how many rows a table that scrolls has", async () => {
    const hints = allOf(parsePage(await pageOf(landscapeResult())), "#table-grid caption small");
    expect(hints[0]?.textContent).toMatch(/^\d+ rows: scroll for all of them\.$/);
  });

  it("writes the value of a heat map in which all are equal, and long names in two lines", async () => {
    const result = attackResult();
    const sources = result.sources.map((source) => ({
      ...source,
      targets: source.targets.map((target) => ({ ...target, success: 0.0359 })),
    }));
    const document = parsePage(await pageOf({ ...result, sources }));
    const textsOf = (size: string) =>
      allOf(document, `#figure-transfer .${size} text`).map(({ textContent }) => textContent);
    expect(textsOf("full")).toContain("3.59, all equal");
    expect(textsOf("full")).toContain("40 networks in turn");
    expect(textsOf("compact")).toEqual(expect.arrayContaining(["40 networks", "in turn"]));
  });

  it("has a logarithmic axis for losses without units that are far apart, and none for near ones", async () => {
    const labelsOf = async (loss: number) => {
      const result = dropoutStabilityResult();
      const shares = result.shares.map((share) => ({
        ...share,
        trials: share.trials.map(({ steps, ...trial }) => ({
          ...trial,
          steps: steps.map((step, index) => ({ ...step, loss: index === 0 ? loss : 1 })),
        })),
      }));
      const document = parsePage(await pageOf({ ...result, shares }));
      return allOf(document, "#figure-layers .full text")
        .map(({ textContent }) => textContent)
        .join();
    };
    expect(await labelsOf(0.05)).toContain("Loss (nats), log scale");
    expect(await labelsOf(0.5)).not.toContain("log scale");
  });
});
