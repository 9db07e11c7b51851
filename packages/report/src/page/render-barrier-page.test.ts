import type { BarrierResult } from "@isthmus/barrier";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { takenApart } from "../../test/taken-apart.ts";
import { renderFigures } from "../render-figures.ts";
import { renderResultPage } from "./render-result-page.ts";

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

describe("renderResultPage()", () => {
  it("renderResultPage() makes one page that loads nothing and may not", async () => {
    const page = await renderResultPage({ title: "Two networks", result: [naive, aligned] });
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

  it("renderResultPage() holds every measured number in a table", async () => {
    const document = parse(await renderResultPage({ title: "Two networks", result: [naive, aligned] }));
    const rows = [...document.querySelectorAll('[aria-label="Every measured point"] tbody tr')];
    expect(rows).toHaveLength(25);
    expect(rows[12]?.textContent).toBe("0.51.45443.22 %0.07441.83 %");
    const tiles = [...document.querySelectorAll(".tile .value")].map((tile) => tile.textContent);
    expect(tiles).toEqual(["1.387 nats", "0.00740 nats"]);
    expect(document.querySelector(".lead").textContent).toBe(
      "The loss barrier is 1.387 nats (as trained) and 0.00740 nats (after alignment): 187 times lower.",
    );
  });

  it("renderResultPage() shows curves of different grids at the places they were measured", async () => {
    const coarse = {
      label: "coarse",
      result: { ...aligned.result, points: aligned.result.points.filter((_, index) => index % 2 === 0) },
    };
    const document = parse(await renderResultPage({ title: "Grids", result: [naive, coarse] }));
    const rows = [...document.querySelectorAll('[aria-label="Every measured point"] tbody tr')];
    expect(rows[1]?.textContent).toMatch(/ %$/);
    expect(rows[1]?.innerHTML.endsWith("<td></td><td></td>")).toBe(true);
  });

  it("renderResultPage() remarks that curves were measured on different examples", async () => {
    const other = { label: "other", result: { ...aligned.result, data: "mnist:test@100", examples: 100 } };
    const leadOf = async (curve: typeof aligned) => {
      const document = parse(await renderResultPage({ title: "Two", result: [naive, curve] }));
      return document.querySelector(".lead").textContent;
    };
    expect(await leadOf(other)).toMatch(
      / They were measured on different examples: .*10,000.*, and .*100 .*\.$/,
    );
    expect(await leadOf(aligned)).not.toContain("different examples");
  });

  it("renderResultPage() carries the measurement as JSON", async () => {
    const hostile = { ...naive, label: "</script><script>alert(1)</script>" };
    const document = parse(await renderResultPage({ title: "Raw", result: [hostile] }));
    const embedded = JSON.parse(document.querySelector("#measurement").textContent);
    expect(embedded).toEqual({ curves: [hostile] });
  });

  it("renderResultPage() escapes what the user wrote", async () => {
    const page = await renderResultPage({
      title: "<img src=x>",
      result: [{ ...naive, label: "<i>a</i>" }],
      notes: ["<u>note</u>"],
      commands: ["isthmus barrier 'a&b' \"c\""],
      facts: [{ name: "<s>", value: "<q>" }],
    });
    expect(/<img|<i>|<u>|<s>|<q>/.exec(page)?.[0]).toBeUndefined();
    expect(page).toContain("<span>&#39;a&amp;b&#39;</span> <span>&quot;c&quot;</span>");
  });

  it("renderResultPage() says how the measurement was made, once where the curves agree", async () => {
    const other = { label: "other", result: { ...aligned.result, statistics: "recalibrate" as const } };
    const document = parse(
      await renderResultPage({
        title: "Method",
        result: [naive, other],
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

  it("renderResultPage() enlarges a curve that would look flat", async () => {
    const figures = async (...heights: number[]) => {
      const curves = heights.map((height) => barrierCurve(`height ${height}`, height));
      return [
        ...parse(await renderResultPage({ title: "Figures", result: curves })).querySelectorAll("figcaption"),
      ];
    };
    expect(await figures(1, 0.01)).toHaveLength(3);
    expect(await figures(1, 0.5)).toHaveLength(2);
    expect(await figures(1)).toHaveLength(2);
    expect(await figures(1, -0.01)).toHaveLength(3);
  });

  it("renderResultPage() shows losses with temperature beside those without, and errors once", async () => {
    const { decomposition: _, ...curve } = takenApart(naive);
    const document = parse(await renderResultPage({ title: "Temperature", result: [curve] }));
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

  it("renderResultPage() shows the last barrier that was taken apart, by part and by example", async () => {
    const curves = [takenApart(naive), takenApart(barrierCurve("aligned", 0.6)), barrierCurve("other", 0.1)];
    const document = parse(await renderResultPage({ title: "Apart", result: curves }));
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

  it("renderResultPage() refuses temperatures that are not those of its points", async () => {
    const { label, result } = takenApart(naive);
    const points = result.tempered?.points ?? [];
    const page = (tempered: typeof points) => ({
      title: "Wrong",
      result: [{ label, result: { ...result, tempered: { ...result.tempered!, points: tempered } } }],
    });
    await expect(renderResultPage(page(points.slice(1)))).rejects.toThrow(
      'Cannot draw "as trained" as every point needs a temperature, or none: 24 of 25 have one',
    );
    const wrong = points.map((point) => ({ ...point, temperature: Number.NaN }));
    await expect(renderResultPage(page(wrong))).rejects.toThrow(/every temperature must be finite/);
  });

  it("renderResultPage() gives the same bytes for the same measurement", async () => {
    const page = { title: "Same", result: [naive, aligned], version: "1.2.3" };
    const [first, second] = [await renderResultPage(page), await renderResultPage(page)];
    expect(first === second).toBe(true);
  });

  it("renderResultPage() calls a barrier as given if nothing says that its networks were aligned", async () => {
    const { result } = barrierCurve("", 0.5);
    const legends = async (drawn: BarrierResult & { readonly alignment?: object }) =>
      [...parse(await renderResultPage({ title: "One", result: drawn })).querySelectorAll(".tile .name")].map(
        ({ textContent }) => textContent,
      );
    expect(await legends(result)).toEqual(["as given"]);
    expect(await legends({ ...result, alignment: { method: "weight" } })).toEqual(["aligned"]);
  });

  it("renderResultPage() draws several pairs of networks in one figure, under their names", async () => {
    const result = [0, 1, 2].map((seed) => {
      const curve = barrierCurve(`seeds 0 and ${seed}`, 1.4 + seed / 10);
      return { ...curve, result: { ...curve.result, b: `s${seed}.pt` } };
    });
    const document = parse(await renderResultPage({ title: "Three pairs", result }));
    expect(document.querySelector(".lead").textContent).toBe(
      "The loss barriers are 1.400 nats (seeds 0 and 0), 1.500 nats (seeds 0 and 1) and 1.600 nats (seeds 0 and 2).",
    );
    const [loss] = await renderFigures(result);
    for (const { label } of result) expect(loss?.svg).toContain(`${label}, barrier 1.`);
  });

  it("renderResultPage() refuses a page without curves", async () => {
    await expect(renderResultPage({ title: "None", result: [] })).rejects.toThrow(TypeError);
  });
});
