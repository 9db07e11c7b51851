import type { StudyResult } from "@isthmus/study";
import { describe, expect, it } from "vitest";
import { comparisonResult } from "../../../recipe/test/comparison-result.ts";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { OTHER_RESULTS } from "../../test/other-results.ts";
import { allOf, type PageDocument, parsePage } from "../../test/parse-page.ts";
import { curveResult, layersResult, planeResult, starResult, studyResult } from "../../test/results.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { renderResultPage } from "./render-result-page.ts";

const RESULTS: readonly DrawableResult[] = [barrierCurve("as trained", 1.387).result, ...OTHER_RESULTS];

const drawAnew = (result: DrawableResult): Promise<string> =>
  renderResultPage({ title: `Of ${result.kind}`, result, commands: ["isthmus again"], version: "1.2.3" });

/** Pages by the result that they show: several tests look at the page of one. */
const pages = new WeakMap<DrawableResult, Promise<string>>();

function pageOf(result: DrawableResult): Promise<string> {
  const page = pages.get(result) ?? drawAnew(result);
  pages.set(result, page);
  return page;
}
const cellsOf = (document: PageDocument, table: string): string[] =>
  allOf(document, `#table-${table} tbody tr`).map((row) => row.textContent);

/** A study of one line over as many widths as there are counts, whose values go from 1 to `high`. */
function countedStudy(counts: readonly number[], high: number): StudyResult {
  const { figures, ...study } = studyResult();
  const column = (key: string, aggregate?: "mean" | "min" | "max") => ({
    key,
    title: key,
    ...(aggregate && { aggregate, counts }),
  });
  const variables = { width: [64, 128], seed: [0, 1, 2, 3] };
  return {
    ...study,
    networks: [
      {
        name: "mlps",
        count: 8,
        variables,
        settings: {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the study
          net: "mlp:${width}",
          data: "mnist:train",
          epochs: { lookup: { variable: "width", values: { 64: 5, 128: 3 } } },
          optimizer: { kind: "adam" },
          schedule: { kind: "constant", learningRate: 0.001 },
        },
      },
    ],
    measurements: [
      {
        name: "test",
        count: 12,
        variables: {},
        settings: { kind: "barrier", between: "mlps", data: "mnist:test@500", points: 11 },
      },
    ],
    tables: [
      {
        name: "barriers",
        title: "Barriers",
        of: ["test"],
        measured: [{ data: "mnist:test@500", examples: 500, points: 11 }],
        columns: [column("width"), column("barrier", "mean"), column("low", "min"), column("high", "max")],
        rows: counts.map((_, index) => ({ width: 64 * 2 ** index, barrier: 1, low: 1, high })),
      },
    ],
    figures: figures
      .slice(0, 1)
      .map(({ series: _, ...figure }) => ({ ...figure, caption: "Of networks.", table: "barriers" })),
  };
}

/** A figure of a study that has nothing to show. */
const EMPTY_FIGURE = {
  title: "T",
  caption: "",
  table: "networks",
  mark: "line",
  x: "net",
  y: "accuracy",
} as const;

describe("renderResultPage()", () => {
  it.each(RESULTS)(
    "renderResultPage() draws a $kind with words and a table for every figure",
    async (result) => {
      const page = await pageOf(result);
      const document = parsePage(page);
      const figures = allOf(document, "figure");
      expect(figures.length).toBeGreaterThan(0);
      expect(allOf(document, 'figure svg[role="img"]')).toHaveLength(2 * figures.length);
      for (const svg of allOf(document, "figure svg"))
        expect(svg.getAttribute("aria-label")).toMatch(/\w{4,}.*\.$|\d/);
      for (const link of allOf(document, "figcaption a"))
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
    const [first, second] = [await pageOf(result), await drawAnew(result)];
    expect(first === second).toBe(true);
  });

  it("renderResultPage() says which layer costs most, and what all do", async () => {
    const document = parsePage(await pageOf(layersResult()));
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
    const document = parsePage(await pageOf({ ...result, cumulative: [] }));
    expect(allOf(document, "figure")).toHaveLength(3);
    expect(document.querySelector("#predictions")).toBeNull();
  });

  it("renderResultPage() says whether the axes of a plane have one scale", async () => {
    const captionOf = async (result: DrawableResult) =>
      parsePage(await pageOf(result)).querySelector("#figure-plane-loss figcaption")?.textContent;
    const result = planeResult();
    expect(await captionOf(result)).toContain("Both axes have one scale.");
    const ys = result.ys.map((y) => y / 100);
    expect(await captionOf({ ...result, ys })).toContain(
      "The axes have scales of their own: y is stretched 50 times",
    );
  });

  it("renderResultPage() draws the heat maps of layers that stand side by side in the same colours", async () => {
    const document = parsePage(await pageOf(layersResult()));
    for (const [one, other] of [
      ["along-a", "along-b"],
      ["interactions-a", "interactions-b"],
    ]) {
      const levels = [one, other].map((name) =>
        allOf(document, `#figure-${name} .full svg > g:last-of-type > *`).map(
          (element) => `${element.textContent} ${element.getAttribute("fill")}`,
        ),
      );
      expect(levels[0]?.length).toBeGreaterThan(8);
      expect(levels[0]).toEqual(levels[1]);
      const numbers = allOf(document, `#figure-${one} .full svg g[aria-label="text"] text`);
      const decimals = numbers.map(({ textContent }) => textContent.split(".")[1]?.length);
      // Of 11 places in half the width of a page there is no room for numbers.
      expect(numbers.length).toBe(one === "along-a" ? 0 : 36);
      expect(new Set(decimals).size).toBe(one === "along-a" ? 0 : 1);
    }
    // Groups that do nothing together are neither good nor bad.
    const [first] = layersResult().predictions?.interactions ?? [];
    const curvatures = first?.curvatures.map((row) => row.map((_, column) => (column === 0 ? -1 : 0))) ?? [];
    const none = { ...layersResult().predictions, interactions: [{ network: "a", curvatures }] } as never;
    const page = parsePage(await pageOf({ ...layersResult(), predictions: none }));
    const fills = allOf(page, '#figure-interactions-a .full svg g[aria-label="cell"] rect').map((cell) =>
      cell.getAttribute("fill"),
    );
    expect(fills.filter((fill) => fill === "#f0f0f0")).toHaveLength(30);
    expect(fills.filter((fill) => fill === "#053061")).toHaveLength(6);
  });

  it("renderResultPage() shows what the others of a group stay as by marks of their own, not as error bars", async () => {
    const document = parsePage(await pageOf(layersResult()));
    expect(allOf(document, '#figure-layers .full g[aria-label="rule"] line').length).toBe(7); // the axis of each row
    const legend = allOf(document, "#figure-layers .full text").map(({ textContent }) => textContent);
    for (const words of ["others as in A", "others as in B"]) expect(legend).toContain(words);
    expect(allOf(document, '#figure-layers .full g[aria-label="dot"] > *').length).toBe(2 * 6 + 4);
  });

  it("renderResultPage() says of every figure which examples it shows, and of layers how similar they are", async () => {
    const ofExamples = RESULTS.filter(({ kind }) => kind !== "study" && kind !== "comparison");
    for (const result of ofExamples) {
      const captions = allOf(parsePage(await pageOf(result)), "figcaption").map(
        ({ textContent }) => textContent,
      );
      // Distances between weights need no examples, nor do sparsities.
      const measured = captions.filter(
        (caption) => !/Networks in the plane|Share of each weight/.test(caption),
      );
      for (const caption of measured) expect(caption).toMatch(/examples of (fashion-)?mnist:(test|train)/);
    }
    const heads = allOf(parsePage(await pageOf(layersResult())), "#table-groups th").map(
      ({ textContent }) => textContent,
    );
    expect(heads).toContain("Cosine similarity");
    expect(heads).toContain("Euclidean distance");
  });

  it("renderResultPage() says a fact once that the result and the page know", async () => {
    const facts = [
      { name: "Seed", value: "0" },
      { name: "Alignment", value: "by weight" },
    ];
    const document = parsePage(await renderResultPage({ title: "", result: layersResult(), facts }));
    const names = allOf(document, "dt").map(({ textContent }) => textContent);
    expect(names.filter((name) => name === "Seed")).toHaveLength(1);
    expect(names).toContain("Alignment");
  });

  it("renderResultPage() shows a range of random directions only where there are several", async () => {
    const rulesOf = async (draws: number) => {
      const { robustness = [], ...result } = layersResult();
      const fewer = robustness.map((one) => ({ ...one, random: one.random.slice(0, draws) }));
      const document = parsePage(await pageOf({ ...result, robustness: fewer }));
      const caption = document.querySelector("#figure-robustness figcaption")?.textContent ?? "";
      return { caption, lines: allOf(document, '#figure-robustness .full g[aria-label="rule"] line').length };
    };
    expect(await rulesOf(5)).toMatchObject({
      lines: 6 + 6, // the axis of each row, and the ranges
      caption: expect.stringContaining("over 5 random directions of the same length, with their range"),
    });
    expect(await rulesOf(1)).toMatchObject({
      lines: 6,
      caption: expect.stringContaining("in one random direction of the same length (seed 0)"),
    });
  });

  it("renderResultPage() shows every place of a plane, and says where there is no loss", async () => {
    const document = parsePage(await pageOf(planeResult()));
    expect(cellsOf(document, "grid")).toHaveLength(441);
    expect(document.querySelector("#figure-plane-loss figcaption")?.textContent).toContain(
      "2 places have no loss, and are grey.",
    );
    const read = JSON.parse(JSON.stringify(planeResult()));
    const again = parsePage(await pageOf(read));
    expect(again.querySelector("#figure-plane-loss figcaption")?.textContent).toContain(
      "2 places have no loss",
    );
    expect(cellsOf(again, "grid")[420]).toBe("-6.00020.0073.87 %");
  });

  it("renderResultPage() compares a curve with the line", async () => {
    const document = parsePage(await pageOf(curveResult()));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "The worst loss on the Bezier curve is 0.3600 nats, that on the straight line 2.307 nats: 6.4 times lower. The curve is 1.58 times as long as the line.",
    );
    expect(cellsOf(document, "points")).toHaveLength(42);
  });

  it("renderResultPage() shows every pair of a star, and predictions where there are some", async () => {
    const result = starResult();
    const document = parsePage(await pageOf(result));
    expect(cellsOf(document, "pairs")).toHaveLength(190 + 3 + 17);
    expect(cellsOf(document, "predictors")[2]).toBe("deep ensemble1796.60 %0.13800.01460.05900.9280");
    const { predictions: _, ...without } = result;
    expect(parsePage(await pageOf(without)).querySelector("#predictors")).toBeNull();
  });

  it("renderResultPage() tells of the anchors of a star where no networks were held out", async () => {
    const result = starResult();
    const starHeldOut = { pairs: [], mean: Number.NaN, std: Number.NaN };
    const page = await pageOf({ ...result, heldOut: [], barriers: { ...result.barriers, starHeldOut } });
    expect(page).toMatch(/on the way to its anchors; between two regular networks/);
    expect(page).not.toContain("NaN");
  });

  it("renderResultPage() says of one pair no mean and no deviation, and numbers as they stand in tables", async () => {
    const result = starResult();
    const [pair] = result.barriers.starHeldOut.pairs;
    const pairs = pair === undefined ? [] : [{ ...pair, loss: 1.18432 }];
    // Earlier versions wrote a deviation of 0.
    const starHeldOut = { pairs, mean: 1.18432, std: 0 };
    const document = parsePage(await pageOf({ ...result, barriers: { ...result.barriers, starHeldOut } }));
    expect(allOf(document, ".tile").map(({ textContent }) => textContent.replaceAll("\n", " "))[1]).toBe(
      "star to held out 1.184 natsloss barrier of 1 pair",
    );
    expect(document.querySelector(".lead")?.textContent).toContain(
      "meets a loss barrier of 1.184 nats on the way to a network it has not seen",
    );
    expect(cellsOf(document, "groups")[1]).toMatch(/^star to held out11\.1841\.1841\.184/);
    const words = allOf(document, "#figure-barriers .full text").map(({ textContent }) => textContent);
    expect(words).toContain("star to held out: 1.184, 1 pair");
    expect(allOf(document, '#figure-barriers .full g[aria-label="rule"] line')).toHaveLength(2);
  });

  it("renderResultPage() says of what the numbers of a study are made, by its results", async () => {
    const captionOf = async (counts: readonly number[], high = 2) => {
      const document = parsePage(await pageOf(countedStudy(counts, high)));
      return document.querySelector("figcaption")?.textContent ?? "";
    };
    expect(await captionOf([3, 3])).toContain(
      "Each mark is the mean of 3 measurements; the band is their range. Measured at 11 places of each path on the first 500 examples of mnist:test. Networks: seed 0 to 3.",
    );
    expect(await captionOf([1, 3])).toContain("Each mark is the mean of 1 to 3 measurements; the band is");
    const single = await captionOf([1, 1], 1);
    expect(single).toContain("Each mark is one measurement. Measured at");
    expect(single).not.toContain("range");
  });

  it("renderResultPage() says of merged networks, too, which they were", async () => {
    const study = countedStudy([1, 1], 1);
    const measurements = (study.measurements ?? []).map((group) => {
      return { ...group, settings: { kind: "merge", of: "mlps", many: "cycle" } };
    });
    const document = parsePage(await pageOf({ ...study, measurements }));
    expect(document.querySelector("figcaption")?.textContent).toContain("Networks: seed 0 to 3.");
  });

  it("renderResultPage() draws no interval of a study that has no length", async () => {
    const linesOf = async (high: number) => {
      const study = countedStudy([1, 1], high);
      const figures = study.figures.map((figure) => ({ ...figure, mark: "dot" as const }));
      const document = parsePage(await pageOf({ ...study, figures }));
      return allOf(document, 'figure .full g[aria-label="rule"] line').length;
    };
    expect([await linesOf(2), await linesOf(1)]).toEqual([2, 0]);
  });

  it("renderResultPage() says of a part of a study that it is one, and what was trained", async () => {
    const study = countedStudy([3, 3], 2);
    const document = parsePage(await pageOf({ ...study, only: { width: [64], seed: [0, 1, 2, 3] } }));
    expect(document.querySelector(".lead")?.textContent).toMatch(
      /^This is a part of a study: width 64; seed 0 to 3 only\. The study as a whole: MLPs with/,
    );
    const facts = Object.fromEntries(
      allOf(document, "dt").map(({ textContent }, index) => [
        textContent,
        allOf(document, "dd")[index]?.textContent,
      ]),
    );
    expect(facts["Networks mlps"]).toBe(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the study
      "8 (width 64, 128; seed 0 to 3): net mlp:${width}; data mnist:train; epochs by width (64: 5, 128: 3); optimizer adam; schedule constant (learning rate 0.001)",
    );
    expect(facts["Measurements test"]).toBe("12: kind barrier; between mlps; data mnist:test@500; points 11");
  });

  it("renderResultPage() does not join several values of a study at one place, nor lets bars cover each other", async () => {
    const study = studyResult();
    const repeated = study.figures.map(({ series: _, low: __, high: ___, ...figure }) => figure);
    const tables = study.tables.map((table) => ({ ...table, rows: [...table.rows, ...table.rows] }));
    const document = parsePage(await pageOf({ ...study, tables, figures: repeated }));
    for (const figure of ["figure-1", "figure-3"]) {
      expect(document.querySelector(`#figure-${figure} figcaption`)?.textContent).toContain(
        "Some places have several values; nothing joins them.",
      );
      expect(allOf(document, `#figure-${figure} .full g[aria-label="line"]`)).toEqual([]);
      expect(allOf(document, `#figure-${figure} .full g[aria-label="bar"]`)).toEqual([]);
    }
    expect(allOf(document, '#figure-figure-3 .full g[aria-label="dot"] > *')).toHaveLength(10);
  });

  it("renderResultPage() joins the values of a line from left to right, whatever the order of rows", async () => {
    const study = countedStudy([1, 1, 1, 1], 1);
    const [table] = study.tables;
    const rows = [...(table?.rows ?? [])].reverse();
    const document = parsePage(await pageOf({ ...study, tables: table ? [{ ...table, rows }] : [] }));
    const path = document.querySelector('figure .full g[aria-label="line"] path')?.getAttribute("d") ?? "";
    const places = [...path.matchAll(/[ML]([\d.]+),/g)].map(([, x]) => Number(x));
    expect(places).toHaveLength(4);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it("renderResultPage() says of logarithmic axes that they are", async () => {
    const words = allOf(parsePage(await pageOf(studyResult())), "#figure-figure-1 .full text").map(
      ({ textContent }) => textContent,
    );
    expect(words).toContain("↑ Loss barrier (nats), log scale");
    expect(words).toContain("Width, log scale →");
  });

  it("renderResultPage() counts the rows of a study that have no number", async () => {
    const document = parsePage(await pageOf(studyResult()));
    expect(document.querySelector("#figure-figure-1 figcaption")?.textContent).toContain(
      "2 of 30 rows have no number to draw.",
    );
  });

  it("renderResultPage() names figures of a study that have nothing to show", async () => {
    const study = studyResult();
    const document = parsePage(await pageOf({ ...study, figures: [EMPTY_FIGURE] }));
    expect(document.querySelector("figure")).toBeNull();
    expect(document.querySelector("dd")?.textContent).toBe("T: no row has numbers that fit its axes");
  });

  it("renderResultPage() draws a barrier before and after alignment", async () => {
    const [before, after] = [barrierCurve("", 1.387).result, barrierCurve("", 0.0074).result];
    const document = parsePage(await pageOf({ ...after, asGiven: before, alignment: {} }));
    expect(document.querySelector(".lead")?.textContent).toContain(
      "1.387 nats (as given) and 0.00740 nats (aligned)",
    );
  });

  it("renderResultPage() shows what networks are to each other, and what differs", async () => {
    const document = parsePage(await pageOf(comparisonResult()));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "4 networks: same ancestor, they can be merged without alignment (97 % sure). There are 1 error and 1 warning to read before a merge.",
    );
    expect(cellsOf(document, "findings")[0]).toMatch(
      /^errorthe rows of tokens of network 3.*put them in one/,
    );
    expect(cellsOf(document, "pairs")[5]).toMatch(/^3 and basesame ancestor: they can be merged/);
    expect(cellsOf(document, "steps")).toEqual([
      "1: math0.110090.00101.5",
      "2: code0.130090.0060.00",
      "3: model0.2100101.560.00",
    ]);
    expect(cellsOf(document, "differences")).toContain("1 and 3shapelm_head.weight[500, 64][512, 64]");
    expect(cellsOf(document, "differences")).toContain("1 and 3only in 3extra.biasabsentpresent");
    expect(cellsOf(document, "networks")[2]).toContain("f32\u00a0(26), f16\u00a0(1)512tied");
    expect(cellsOf(document, "vocabularies")[1]).toBe("1 and 3model.embed_tokens.weight5005120.970025.00 %");
    expect(cellsOf(document, "family")[2]).toMatch(/^2: code1: math0\.1300/);
    expect(cellsOf(document, "next")[0]).toBe(
      "isthmus merge advice.yaml -o merged.safetensorsthe merge itself",
    );
    expect(allOf(document, "figure .full svg").length).toBe(4);
  });

  it("renderResultPage() of networks that have nothing in common has no figures of distances", async () => {
    const { pairs, verdicts, ...comparison } = comparisonResult();
    const [pair, judged] = [pairs[0] ?? expect.fail(), verdicts[0] ?? expect.fail()];
    const strangers = { ...pair, distance: null, cosine: null, kinship: null, vocabulary: null, tensors: [] };
    const verdict = "different architecture";
    const document = parsePage(
      await pageOf({
        ...comparison,
        ...{ networks: comparison.networks.slice(0, 2), base: null, taskVectors: null, verdict },
        ...{ descent: null, advice: null },
        ...{ pairs: [strangers], verdicts: [{ ...judged, verdict }], findings: [] },
      }),
    );
    expect(document.querySelector(".lead")?.textContent).toMatch(
      /^Both networks: different architecture, they cannot be averaged/,
    );
    expect(allOf(document, "figure")).toEqual([]);
  });

  it("renderResultPage() refuses results that contradict themselves or show nothing", async () => {
    const comparison = comparisonResult();
    const [layers, plane, curve, star, study] = [
      layersResult(),
      planeResult(),
      curveResult(),
      starResult(),
      studyResult(),
    ];
    const none = { pairs: [], mean: 0, std: 0 };
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
      [{ ...study, figures: [{ ...EMPTY_FIGURE, table: "x" }] }, 'got "x", it has "barriers", "networks"'],
      [
        { ...study, figures: [{ ...EMPTY_FIGURE, y: "speed" }] },
        '"speed" is not among "net", "accuracy", "seconds"',
      ],
      [{ ...comparison, pairs: [] }, "at least one pair of networks is needed: got 0"],
      [{ ...comparison, verdicts: [] }, "each of 6 pairs needs a verdict: got 0"],
      [{ ...comparison, base: 7 }, "its 4 networks: one speaks of network 8"],
      [
        {
          ...comparison,
          taskVectors: { base: 3, guessed: false, networks: [0], lengths: [], cosines: [], conflicts: null },
        },
        "steps of 1 networks need as many lengths and cosines: got 0 and 0",
      ],
    ];
    for (const [result, message] of broken) await expect(pageOf(result)).rejects.toThrow(message);
  });
});
