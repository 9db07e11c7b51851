import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { renderBarrierPage } from "./render-result-page.ts";

const naive = barrierCurve("as trained", 1.387, true);
const aligned = barrierCurve("after alignment", 0.0074, true);

interface Element {
  readonly textContent: string;
  readonly innerHTML: string;
  getAttribute(name: string): string | null;
}
interface Document {
  querySelector(selector: string): Element;
  querySelectorAll(selector: string): Iterable<Element>;
}

const parse = (page: string): Document => parseHTML(page).document as unknown as Document;

describe("renderBarrierPage()", () => {
  it("renderBarrierPage() makes one page that loads nothing and may not", async () => {
    const page = await renderBarrierPage({ title: "Two networks", curves: [naive, aligned] });
    const document = parse(page);
    expect(page.startsWith("<!doctype html>")).toBe(true);
    expect([...document.querySelectorAll("link, img, iframe, object, script[src]")]).toEqual([]);
    expect([...document.querySelectorAll("script")].map((script) => script.getAttribute("type"))).toEqual([
      "application/json",
      null,
    ]);
    expect(document.querySelector("meta[http-equiv]").getAttribute("content")).toContain(
      "default-src 'none'",
    );
    expect(/url\(|@import|(?:src|href)="(?:https?:)?\/\//.exec(page)?.[0]).toBeUndefined();
    expect(/NaN|undefined|\[object/.exec(page)?.[0]).toBeUndefined();
  });

  it("renderBarrierPage() holds every measured number in a table", async () => {
    const document = parse(await renderBarrierPage({ title: "Two networks", curves: [naive, aligned] }));
    const rows = [...document.querySelectorAll('[aria-label="Every measured point"] tbody tr')];
    expect(rows).toHaveLength(25);
    expect(rows[12]?.textContent).toBe("0.51.45443.22 %0.07441.83 %");
    const tiles = [...document.querySelectorAll(".tile .value")].map((tile) => tile.textContent);
    expect(tiles).toEqual(["1.387 nats", "0.00740 nats"]);
    expect(document.querySelector(".lead").textContent).toBe(
      "The loss barrier is 1.387 nats as trained and 0.00740 nats after alignment: 187 times lower.",
    );
  });

  it("renderBarrierPage() shows curves of different grids at the places they were measured", async () => {
    const coarse = {
      label: "coarse",
      result: { ...aligned.result, points: aligned.result.points.filter((_, index) => index % 2 === 0) },
    };
    const document = parse(await renderBarrierPage({ title: "Grids", curves: [naive, coarse] }));
    const rows = [...document.querySelectorAll('[aria-label="Every measured point"] tbody tr')];
    expect(rows[1]?.textContent).toMatch(/ %$/);
    expect(rows[1]?.innerHTML.endsWith("<td></td><td></td>")).toBe(true);
  });

  it("renderBarrierPage() carries the measurement as JSON", async () => {
    const hostile = { ...naive, label: "</script><script>alert(1)</script>" };
    const document = parse(await renderBarrierPage({ title: "Raw", curves: [hostile] }));
    const embedded = JSON.parse(document.querySelector("#measurement").textContent);
    expect(embedded).toEqual({ curves: [hostile] });
  });

  it("renderBarrierPage() escapes what the user wrote", async () => {
    const page = await renderBarrierPage({
      title: "<img src=x>",
      curves: [{ ...naive, label: "<i>a</i>" }],
      notes: ["<u>note</u>"],
      commands: ["isthmus barrier 'a&b' \"c\""],
      facts: [{ name: "<s>", value: "<q>" }],
    });
    expect(/<img|<i>|<u>|<s>|<q>/.exec(page)?.[0]).toBeUndefined();
    expect(page).toContain("isthmus barrier &#39;a&amp;b&#39; &quot;c&quot;");
  });

  it("renderBarrierPage() says how the measurement was made, once where the curves agree", async () => {
    const other = { label: "other", result: { ...aligned.result, statistics: "recalibrate" as const } };
    const document = parse(
      await renderBarrierPage({
        title: "Method",
        curves: [naive, other],
        facts: [{ name: "Seed", value: "7" }],
      }),
    );
    const names = [...document.querySelectorAll("dt")].map((term) => term.textContent);
    expect(names).toEqual([
      "Network A",
      "Network B",
      "Data",
      "Path",
      "Statistics of activations (as trained)",
      "Statistics of activations (other)",
      "Engine",
      "Seed",
    ]);
  });

  it("renderBarrierPage() enlarges a curve that would look flat", async () => {
    const figures = async (...heights: number[]) => {
      const curves = heights.map((height) => barrierCurve(`height ${height}`, height));
      return [...parse(await renderBarrierPage({ title: "Figures", curves })).querySelectorAll("figcaption")];
    };
    expect(await figures(1, 0.01)).toHaveLength(3);
    expect(await figures(1, 0.5)).toHaveLength(2);
    expect(await figures(1)).toHaveLength(2);
    expect(await figures(1, -0.01)).toHaveLength(3);
  });

  it("renderBarrierPage() gives the same bytes for the same measurement", async () => {
    const page = { title: "Same", curves: [naive, aligned], version: "1.2.3" };
    const [first, second] = [await renderBarrierPage(page), await renderBarrierPage(page)];
    expect(first === second).toBe(true);
  });

  it("renderBarrierPage() refuses a page without curves", async () => {
    await expect(renderBarrierPage({ title: "None", curves: [] })).rejects.toThrow(TypeError);
  });
});
