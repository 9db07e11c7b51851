import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { curveResult, layersResult, planeResult, starResult, studyResult } from "../../test/results.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { renderResultPage } from "./render-result-page.ts";

const RESULTS: readonly DrawableResult[] = [
  barrierCurve("as trained", 1.387).result,
  layersResult(),
  planeResult(),
  curveResult(),
  starResult(),
  studyResult(),
];

interface Element {
  readonly textContent: string;
  getAttribute(name: string): string | null;
}
interface Document {
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

const parse = (page: string): Document => parseHTML(page).document as unknown as Document;
const all = (document: Document, selector: string): Element[] => [...document.querySelectorAll(selector)];
const pageOf = (result: DrawableResult): Promise<string> =>
  renderResultPage({ title: `Of ${result.kind}`, result, commands: ["isthmus again"], version: "1.2.3" });
const cellsOf = (document: Document, table: string): string[] =>
  all(document, `#table-${table} tbody tr`).map((row) => row.textContent);

describe("renderResultPage()", () => {
  it.each(RESULTS)(
    "renderResultPage() draws a $kind with words and a table for every figure",
    async (result) => {
      const page = await pageOf(result);
      const document = parse(page);
      const figures = all(document, "figure");
      expect(figures.length).toBeGreaterThan(0);
      expect(all(document, 'figure svg[role="img"]')).toHaveLength(2 * figures.length);
      for (const svg of all(document, "figure svg"))
        expect(svg.getAttribute("aria-label")).toMatch(/\w{4,}.*\.$|\d/);
      for (const link of all(document, "figcaption a"))
        expect(document.querySelector(link.getAttribute("href") ?? "none")).not.toBeNull();
      expect(document.querySelector("pre code")?.textContent).toBe("isthmus again");
      expect(
        /NaN|undefined|\[object|Infinity/.exec(page.replace(/<script>.*<\/script>/s, ""))?.[0],
      ).toBeUndefined();
    },
  );

  it.each(RESULTS)(
    "renderResultPage() gives every element of a $kind page a name of its own",
    async (result) => {
      const names = [...(await pageOf(result)).matchAll(/\sid="([^"]*)"/g)].map(([, name]) => name);
      expect(names.toSorted()).toEqual([...new Set(names)].sort());
    },
  );

  it.each(RESULTS)("renderResultPage() gives the same bytes for the same $kind", async (result) => {
    const [first, second] = [await pageOf(result), await pageOf(result)];
    expect(first === second).toBe(true);
  });

  it("renderResultPage() says which layer costs most, and what all do", async () => {
    const document = parse(await pageOf(layersResult()));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "Averaging all groups costs 1.863 nats. Of 6 groups by themselves fc1 costs most, 0.4629 nats; one by one they add up to 0.9104.",
    );
    expect(cellsOf(document, "layers").at(-1)).toMatch(/^all groups1\.863/);
    expect(cellsOf(document, "cumulative")).toHaveLength(24);
    expect(cellsOf(document, "predictions")).toHaveLength(7);
    expect(cellsOf(document, "interactions")).toHaveLength(36);
    expect(cellsOf(document, "robustness")).toHaveLength(6);
  });

  it("renderResultPage() leaves out what layers were not asked for", async () => {
    const { predictions: _, robustness: __, ...result } = layersResult();
    const document = parse(await pageOf({ ...result, cumulative: [] }));
    expect(all(document, "figure")).toHaveLength(3);
    expect(document.querySelector("#predictions")).toBeNull();
  });

  it("renderResultPage() says whether the axes of a plane have one scale", async () => {
    const captionOf = async (result: DrawableResult) =>
      parse(await pageOf(result)).querySelector("#figure-plane-loss figcaption")?.textContent;
    const result = planeResult();
    expect(await captionOf(result)).toContain("Both axes have one scale.");
    const ys = result.ys.map((y) => y / 100);
    expect(await captionOf({ ...result, ys })).toContain(
      "The axes have scales of their own: y is stretched 50 times",
    );
  });

  it("renderResultPage() shows every place of a plane, and says where there is no loss", async () => {
    const document = parse(await pageOf(planeResult()));
    expect(cellsOf(document, "grid")).toHaveLength(441);
    expect(document.querySelector("#figure-plane-loss figcaption")?.textContent).toContain(
      "2 places have no loss, and are grey.",
    );
    const read = JSON.parse(JSON.stringify(planeResult()));
    const again = parse(await pageOf(read));
    expect(again.querySelector("#figure-plane-loss figcaption")?.textContent).toContain(
      "2 places have no loss",
    );
    expect(cellsOf(again, "grid")[420]).toBe("-6.00020.0073.87 %");
  });

  it("renderResultPage() compares a curve with the line", async () => {
    const document = parse(await pageOf(curveResult()));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "The worst loss on the Bezier curve is 0.3600 nats, that on the straight line 2.307 nats: 6.4 times lower. The curve is 1.58 times as long as the line.",
    );
    expect(cellsOf(document, "points")).toHaveLength(42);
  });

  it("renderResultPage() shows every pair of a star, and predictions where there are some", async () => {
    const result = starResult();
    const document = parse(await pageOf(result));
    expect(cellsOf(document, "pairs")).toHaveLength(190 + 3 + 17);
    expect(cellsOf(document, "predictors")[2]).toBe("deep ensemble1796.60 %0.13800.01460.05900.9280");
    const { predictions: _, ...without } = result;
    expect(parse(await pageOf(without)).querySelector("#predictors")).toBeNull();
  });

  it("renderResultPage() tells of the anchors of a star where no networks were held out", async () => {
    const result = starResult();
    const starHeldOut = { pairs: [], mean: Number.NaN, std: Number.NaN };
    const page = await pageOf({ ...result, heldOut: [], barriers: { ...result.barriers, starHeldOut } });
    expect(page).toMatch(/on the way to its anchors; between two regular networks/);
    expect(page).not.toContain("NaN");
  });

  it("renderResultPage() counts the rows of a study that have no number", async () => {
    const document = parse(await pageOf(studyResult()));
    expect(document.querySelector("#figure-figure-1 figcaption")?.textContent).toContain(
      "2 of 30 rows have no number to draw.",
    );
  });

  it("renderResultPage() names figures of a study that have nothing to show", async () => {
    const study = studyResult();
    const figure = {
      title: "T",
      caption: "",
      table: "networks",
      mark: "line" as const,
      x: "net",
      y: "accuracy",
    };
    const document = parse(await pageOf({ ...study, figures: [figure] }));
    expect(document.querySelector("figure")).toBeNull();
    expect(document.querySelector("dd")?.textContent).toBe("T: no row has numbers that fit its axes");
  });

  it("renderResultPage() draws a barrier before and after alignment", async () => {
    const [before, after] = [barrierCurve("", 1.387).result, barrierCurve("", 0.0074).result];
    const document = parse(await pageOf({ ...after, asTrained: before, alignment: {} }));
    expect(document.querySelector(".lead")?.textContent).toContain(
      "1.387 nats as trained and 0.00740 nats aligned",
    );
  });

  it("renderResultPage() refuses results that contradict themselves or show nothing", async () => {
    const [layers, plane, curve, star, study] = [
      layersResult(),
      planeResult(),
      curveResult(),
      starResult(),
      studyResult(),
    ];
    const none = { pairs: [], mean: 0, std: 0 };
    const figure = {
      title: "T",
      caption: "",
      table: "networks",
      mark: "line" as const,
      x: "net",
      y: "accuracy",
    };
    const broken: readonly (readonly [DrawableResult, string])[] = [
      [{ ...layers, layers: [] }, "at least one group is needed: got 0"],
      [{ ...plane, xs: [1, 1, 2] }, '"xs" must be at least 2 ascending numbers: got [1, 1, 2]'],
      [{ ...plane, loss: plane.loss.slice(1) }, '"loss" must be 21 rows of 21 values: it has 20 rows'],
      [{ ...plane, models: [] }, "it must go through networks: got 0"],
      [
        { ...curve, line: { ...curve.line, points: [] } },
        "straight line as it needs at least 2 points: it has 0",
      ],
      [
        { ...star, barriers: { regularRegular: none, starHeldOut: none, starAnchor: none } },
        "at least one pair of networks is needed: got 0",
      ],
      [{ ...study, figures: [{ ...figure, table: "x" }] }, 'got "x", it has "barriers", "networks"'],
      [
        { ...study, figures: [{ ...figure, y: "speed" }] },
        '"speed" is not among "net", "accuracy", "seconds"',
      ],
    ];
    for (const [result, message] of broken) await expect(pageOf(result)).rejects.toThrow(message);
  });
});
