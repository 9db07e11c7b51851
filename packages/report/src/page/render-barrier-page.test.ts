import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { takenApart } from "../../test/taken-apart.ts";
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
    expect(page).toContain("<span>&#39;a&amp;b&#39;</span> <span>&quot;c&quot;</span>");
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

  it("renderBarrierPage() shows losses with temperature beside those without, and errors once", async () => {
    const { decomposition: _, ...curve } = takenApart(naive);
    const document = parse(await renderBarrierPage({ title: "Temperature", curves: [curve] }));
    const texts = (selector: string) =>
      [...document.querySelectorAll(selector)].map((element) => element.textContent);
    expect(texts(".tile .name")).toEqual(["as trained", "as trained, with temperature"]);
    expect(texts(".tile .value")).toEqual(["1.387 nats", "0.4623 nats"]);
    expect(texts(".tile .more")).toContain("temperatures 0.9 to 1.4");
    expect(document.querySelector(".lead").textContent).toMatch(
      /nats above .* With a temperature fitted at every place it is 0\.4623 nats\.$/,
    );
    const table = '[aria-label="Every measured point"] ';
    expect(texts(`${table}thead tr:last-child th`)).toEqual(["t", "Loss", "Error", "Loss", "T"]);
    expect(texts(`${table}tbody tr`)[12]).toBe("0.51.45443.22 %0.52931.400");
    expect([...document.querySelectorAll("figure")].map((figure) => figure.getAttribute("id"))).toEqual([
      "figure-loss",
      "figure-error",
      "figure-temperature",
    ]);
    expect(texts("dt")).toContain("Temperature");
    expect(texts("dd")).toContain("one at every place, fitted to mnist:test@2500, 2,500 examples");
  });

  it("renderBarrierPage() shows the last barrier that was taken apart, by part and by example", async () => {
    const curves = [takenApart(naive), takenApart(barrierCurve("aligned", 0.6)), barrierCurve("other", 0.1)];
    const document = parse(await renderBarrierPage({ title: "Apart", curves }));
    const texts = (selector: string) =>
      [...document.querySelectorAll(selector)].map((element) => element.textContent);
    const figures = [...document.querySelectorAll("figure")].map((figure) => figure.getAttribute("id"));
    expect(figures.slice(-3)).toEqual(["figure-parts-averaged", "figure-parts-put-back", "figure-examples"]);
    const rows = texts('[aria-label="The excess, by part"] tbody tr');
    expect(rows).toHaveLength(6);
    expect(rows[1]).toBe(
      "blocks.07680.74000.592022.20 points14.80 points-0.3400-0.4080-10.20 points-6.80 points",
    );
    expect(rows.at(-1)).toMatch(/^all at onceabove the mean of A and B.*0\.20000\.2000/);
    expect(texts('[aria-label="The examples of highest excess"] tbody tr')[1]).toMatch(/^1434/);
    expect(texts("#figure-examples figcaption")[0]).toContain(
      "35 % of the examples carry half of the excess; the highest 1 % carry 2.6 %, the highest 10 % carry 26 %.",
    );
    expect(JSON.parse(document.querySelector("#measurement").textContent)).toEqual({ curves });
  });

  it("renderBarrierPage() refuses temperatures that are not those of its points", async () => {
    const { label, result } = takenApart(naive);
    const points = result.tempered?.points ?? [];
    const page = (tempered: typeof points) => ({
      title: "Wrong",
      curves: [{ label, result: { ...result, tempered: { ...result.tempered!, points: tempered } } }],
    });
    await expect(renderBarrierPage(page(points.slice(1)))).rejects.toThrow(
      'Cannot draw "as trained" as every point needs a temperature, or none: 24 of 25 have one',
    );
    const wrong = points.map((point) => ({ ...point, temperature: Number.NaN }));
    await expect(renderBarrierPage(page(wrong))).rejects.toThrow(/every temperature must be finite/);
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
