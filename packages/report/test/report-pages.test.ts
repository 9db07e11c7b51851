/// <reference lib="dom" />
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type DrawableResult, renderFigures, renderResultPage } from "@isthmus/report";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { mapResult } from "../../barrier/test/map-result.ts";
import { comparisonResult } from "../../recipe/test/comparison-result.ts";
import { barrierCurve } from "./barrier-curve.ts";
import { curvatureHistory, curvatureResult } from "./curvature-result.ts";
import { dropoutPathResult, dropoutStabilityResult, walkedPathResult } from "./dropout-results.ts";
import { attackResult, ensembleResult, paretoResult } from "./ensemble-results.ts";
import { intrinsicDimensionResult } from "./intrinsic-dimension-result.ts";
import { initializationResult, landscapeResult, trajectoryResult } from "./landscape-result.ts";
import { mechanismsResult } from "./mechanisms-result.ts";
import { pruneResult } from "./prune-result.ts";
import { curveResult, layersResult, planeResult, starResult, studyResult } from "./results.ts";
import { similarityResult } from "./similarity-result.ts";
import { takenApart } from "./taken-apart.ts";

const BACKGROUND = { light: "rgb(255, 255, 255)", dark: "rgb(23, 27, 31)" } as const;
const WIDE = { width: 1280, height: 900 } as const;
const NARROW = { width: 390, height: 844 } as const;
/** Colours do not depend on the size of a window, nor places on colours. */
const APPEARANCES = [
  { scheme: "light", size: WIDE },
  { scheme: "dark", size: NARROW },
] as const;

const about = {
  commands: ["isthmus again a.safetensors b.safetensors"],
  version: "1.2.3",
  notes: ["A note."],
};
const pageOf = (result: DrawableResult) => () =>
  renderResultPage({ ...about, title: `A page of ${result.kind}`, result });
const PAGES: Readonly<Record<string, () => Promise<string>>> = {
  barrier: () =>
    renderResultPage({
      ...about,
      title: "A page of barriers",
      result: [barrierCurve("as trained", 1.387, true), barrierCurve("aligned", 0.0074, true)],
    }),
  "barrier taken apart": () =>
    renderResultPage({
      ...about,
      title: "A page of a barrier taken apart",
      result: [barrierCurve("as trained", 1.387), takenApart(barrierCurve("aligned", 0.774, true))],
    }),
  layers: pageOf(layersResult()),
  plane: pageOf(planeResult()),
  map: pageOf(mapResult()),
  curve: pageOf(curveResult()),
  star: pageOf(starResult()),
  study: pageOf(studyResult()),
  comparison: pageOf(comparisonResult()),
  curvature: pageOf(curvatureResult()),
  ensemble: pageOf(ensembleResult()),
  attack: pageOf(attackResult()),
  pareto: pageOf(paretoResult()),
  landscape: pageOf(landscapeResult()),
  slices: pageOf(landscapeResult(3)),
  trajectory: pageOf(trajectoryResult()),
  initialization: pageOf(initializationResult()),
  "curvature-history": pageOf(curvatureHistory()),
  "dropout-stability": pageOf(dropoutStabilityResult()),
  "dropout-path": pageOf(dropoutPathResult()),
  "walked-path": pageOf(walkedPathResult()),
  "intrinsic-dimension": pageOf(intrinsicDimensionResult()),
  prune: pageOf(pruneResult()),
  similarity: pageOf(similarityResult()),
  mechanisms: pageOf(mechanismsResult()),
};

/** What somebody may have written into the names that a result holds. */
const INTRUSION = `<b class="foreign">&'</script><!--]]>\u0000\u0001\u001b\u0085\ufffe\ud800<img src=x onerror="document.title='owned'">`;

/**
 * A result in which every text that is no plain word, as names of kinds and of columns are, ends in an
 * intrusion.
 */
function makeHostile<T>(result: T): T {
  return JSON.parse(JSON.stringify(result), (_, value: unknown) =>
    typeof value === "string" && !/^[a-z\d-]+$/.test(value) ? `${value}${INTRUSION}` : value,
  );
}

const HOSTILE: Readonly<Record<string, () => DrawableResult>> = {
  barrier: () => makeHostile(barrierCurve("as trained", 1.387, true).result),
  "barrier taken apart": () => {
    const { result, decomposition } = takenApart(barrierCurve("as trained", 1.387, true));
    return makeHostile({ ...result, decomposition });
  },
  layers: () => makeHostile(layersResult()),
  plane: () => makeHostile(planeResult()),
  map: () => makeHostile(mapResult()),
  curve: () => makeHostile(curveResult()),
  star: () => makeHostile(starResult()),
  study: () => makeHostile(studyResult()),
  comparison: () => makeHostile(comparisonResult()),
  curvature: () => makeHostile(curvatureResult()),
  ensemble: () => makeHostile(ensembleResult()),
  attack: () => makeHostile(attackResult()),
  pareto: () => makeHostile(paretoResult()),
  landscape: () => makeHostile(landscapeResult()),
  "curvature-history": () => makeHostile(curvatureHistory()),
  "dropout-stability": () => makeHostile(dropoutStabilityResult()),
  "dropout-path": () => makeHostile(dropoutPathResult()),
  "walked-path": () => makeHostile(walkedPathResult()),
  "intrinsic-dimension": () => makeHostile(intrinsicDimensionResult()),
  prune: () => makeHostile(pruneResult()),
  similarity: () => makeHostile(similarityResult()),
  mechanisms: () => makeHostile(mechanismsResult()),
};

async function renderHostile(name: string): Promise<string> {
  const result = HOSTILE[name]?.();
  if (result === undefined) throw new TypeError(`Cannot render "${name}" as there is no such page`);
  const texts = [INTRUSION];
  return renderResultPage({
    title: `a < b & c${INTRUSION}`,
    result,
    commands: texts,
    notes: texts,
    version: INTRUSION,
  });
}

if (!hasBrowser) {
  console.warn(
    `SKIPPED: no page was opened in a browser, as there is none at ${CHROMIUM}: apt-get install chromium`,
  );
}

describe.skipIf(!hasBrowser)("pages in a browser", () => {
  let folder: string;
  let context: BrowserContext;
  /** The one tab of all tests, as each tab is a process of the browser. */
  let tab: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-pages-"));
    for (const [name, render] of Object.entries(PAGES))
      writeFileSync(join(folder, `${name}.html`), await render());
    context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: CHROMIUM,
      args: [...BROWSER_FLAGS],
    });
    tab = await context.newPage();
  });
  afterAll(async () => {
    await context?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page, does something with it, and says what the browser complained of or asked the network for. */
  async function visit(name: string, work: (page: Page) => Promise<void>): Promise<string[]> {
    const complaints: string[] = [];
    const complain = (complaint: string): void => void complaints.push(complaint);
    await tab.emulateMedia({ media: null, colorScheme: null });
    await tab.setViewportSize(WIDE);
    tab.on("console", (message) => complain(`${message.type()}: ${message.text()}`));
    tab.on("pageerror", (error) => complain(error.message));
    tab.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) complain(`request: ${request.url()}`);
    });
    try {
      await tab.goto(pathToFileURL(join(folder, `${name}.html`)).href);
      await work(tab);
    } finally {
      for (const event of ["console", "pageerror", "request"]) tab.removeAllListeners(event);
    }
    return complaints;
  }

  it.each(Object.keys(PAGES))("a page of %s is drawn, light and dark, wide and narrow", async (name) => {
    const complaints = await visit(name, async (page) => {
      for (const { scheme, size } of APPEARANCES) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize(size);
        const seen = await page.evaluate(lookAround);
        expect(seen.background).toBe(BACKGROUND[scheme]);
        expect(seen.overflow).toBeLessThanOrEqual(0);
        expect(seen.figures.length).toBeGreaterThan(0);
        for (const figure of seen.figures) {
          expect(figure).toMatchObject({ drawn: 1, outside: [], overlapping: [] });
          expect(figure.width).toBeGreaterThan(Math.min(size.width * 0.8, 400));
          expect(figure.height).toBeGreaterThan(100);
          expect(figure.shapes).toBeGreaterThan(1);
        }
      }
    });
    expect(complaints).toEqual([]);
  });

  it.each([
    "layers",
    "plane",
    "map",
    "star",
    "study",
    "comparison",
    "curvature",
    "landscape",
    "dropout-stability",
    "dropout-path",
    "walked-path",
    "intrinsic-dimension",
    "prune",
    "similarity",
    "mechanisms",
  ])("tables of a page of %s sort, by mouse and by keyboard", async (name) => {
    const complaints = await visit(name, async (page) => {
      const head = page.locator('th[data-sort="number"]').first();
      const table = page.locator("table", { has: head }).first();
      const column = await head.evaluate((cell: HTMLTableCellElement) => cell.cellIndex);
      const values = async (): Promise<number[]> =>
        (await table.locator(`tbody tr > :nth-child(${column + 1})`).allTextContents())
          .filter((text) => text !== "")
          .map((text) => Number.parseFloat(text.replaceAll(",", "")));
      const before = await values();
      expect(await head.getAttribute("aria-sort")).toBeNull();
      await head.locator("button").click();
      expect(await head.getAttribute("aria-sort")).toBe("ascending");
      expect(await values()).toEqual(before.toSorted((a, b) => a - b));
      await head.locator("button").press("Enter");
      expect(await head.getAttribute("aria-sort")).toBe("descending");
      expect(await values()).toEqual(before.toSorted((a, b) => b - a));
    });
    expect(complaints).toEqual([]);
  });

  it("the button shows the other theme, and paper is always light", async () => {
    const background = () => getComputedStyle(document.documentElement).backgroundColor;
    const complaints = await visit("plane", async (page) => {
      await page.emulateMedia({ colorScheme: "light" });
      const button = page.locator("#theme");
      expect(await button.textContent()).toBe("Dark theme");
      await button.click();
      expect(await button.textContent()).toBe("Light theme");
      expect(await page.evaluate(background)).toBe(BACKGROUND.dark);
      await page.emulateMedia({ media: "print" });
      expect(await page.evaluate(background)).toBe(BACKGROUND.light);
      await page.emulateMedia({ media: "screen", colorScheme: "dark" });
      await button.click();
      expect(await page.evaluate(background)).toBe(BACKGROUND.light);
    });
    expect(complaints).toEqual([]);
  });

  it("the keyboard comes to the content first, then to everything that can be used, and shows where it is", async () => {
    const complaints = await visit("star", async (page) => {
      const focused = () => {
        const { activeElement: element } = document;
        const outline = element === null ? "none" : getComputedStyle(element).outlineStyle;
        return { text: element?.textContent ?? "", visible: outline !== "none" };
      };
      await page.keyboard.press("Tab");
      expect(await page.evaluate(focused)).toEqual({ text: "Skip to the result", visible: true });
      await page.keyboard.press("Tab");
      expect(await page.evaluate(focused)).toEqual({ text: "Dark theme", visible: true });
      await page.keyboard.press("Tab");
      expect(await page.evaluate(focused)).toEqual({ text: "The\u00a0numbers", visible: true });
      await page.keyboard.press("Enter");
      expect(await page.locator("details").getAttribute("open")).not.toBeNull();
    });
    expect(complaints).toEqual([]);
  });

  it.each(Object.keys(HOSTILE))(
    "a page of %s shows hostile names as they are, and runs nothing of them",
    async (name) => {
      writeFileSync(join(folder, `hostile-${name}.html`), await renderHostile(name));
      const complaints = await visit(`hostile-${name}`, async (page) => {
        expect(await page.title()).toContain("a < b & c");
        const seen = await page.evaluate(() => ({
          foreign: document.querySelectorAll("b.foreign, img").length,
          text: document.body.textContent?.includes('<b class="foreign">') ?? false,
        }));
        expect(seen).toEqual({ foreign: 0, text: true });
      });
      expect(complaints).toEqual([]);
    },
  );

  it.each(Object.keys(HOSTILE))(
    "figures of %s are well-formed XML whatever the names in them hold",
    async (name) => {
      const result = HOSTILE[name]?.();
      const figures = result === undefined ? [] : await renderFigures(result);
      expect(figures.length).toBeGreaterThan(0);
      for (const { svg } of figures) {
        const fault = await tab.evaluate((text) => {
          const document = new DOMParser().parseFromString(text, "image/svg+xml");
          return document.querySelector("parsererror")?.textContent ?? null;
        }, svg);
        expect(fault).toBeNull();
      }
    },
  );

  it("runs no script, no handler and no style that is not its own", async () => {
    const page = await renderHostile("star");
    const intruders = [
      "<script>document.title = 'owned'</script>",
      "<img src='x' onerror=\"document.title = 'owned'\">",
      "<svg onload=\"document.title = 'owned'\"></svg>",
      "<a id='intruder' href=\"javascript:document.title = 'owned'\">x</a>",
      "<style>html { background: red !important }</style>",
      "<p style='position: fixed'>x</p>",
      "<base href='https://example.com/'>",
    ];
    writeFileSync(
      join(folder, "intruded.html"),
      page.replace("<main", () => `${intruders.join("")}<main`),
    );
    const complaints = await visit("intruded", async (opened) => {
      await opened.locator("#intruder").click();
      expect(await opened.title()).toContain("a < b & c");
      const seen = await opened.evaluate(() => ({
        background: getComputedStyle(document.documentElement).backgroundColor,
        position: getComputedStyle(document.querySelector("p[style]") ?? document.body).position,
        base: document.baseURI.startsWith("file:"),
        // Its own script does run.
        button: document.querySelector<HTMLElement>("#theme")?.hidden,
      }));
      expect(seen).toEqual({ background: BACKGROUND.light, position: "static", base: true, button: false });
    });
    expect(complaints.length).toBeGreaterThanOrEqual(intruders.length - 1);
    for (const complaint of complaints) expect(complaint).toMatch(/Content Security Policy/);
  });

  it("the measurement can be downloaded", async () => {
    const complaints = await visit("curve", async (page) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("#download").click(),
      ]);
      expect(download.suggestedFilename()).toBe("measurement.json");
    });
    expect(complaints).toEqual([]);
  });
});

/** Runs in the page: what of its figures can be seen, and whether words are cut off or stand on each other. */
function lookAround() {
  const root = document.documentElement;
  const meets = (a: DOMRect, b: DOMRect): boolean =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  const figures = [...document.querySelectorAll("figure")].map((figure) => {
    const drawings = [...figure.querySelectorAll("svg")].filter(
      (svg) => svg.getBoundingClientRect().width > 0,
    );
    const [drawing] = drawings;
    const box = drawing?.getBoundingClientRect();
    const words = [...(drawing?.querySelectorAll("text") ?? [])].map((element) => ({
      text: element.textContent ?? "",
      box: element.getBoundingClientRect(),
      slanted: /rotate/.test(element.getAttribute("transform") ?? ""),
    }));
    // Boxes of slanted words overlap where the words do not.
    const level = words.filter(({ slanted }) => !slanted);
    return {
      drawn: drawings.length,
      width: box?.width ?? 0,
      height: box?.height ?? 0,
      shapes: drawing?.querySelectorAll("path, rect, circle, line").length ?? 0,
      outside: words
        .filter(({ box: { left, right } }) => left < -1 || right > root.clientWidth + 1)
        .map(({ text }) => text),
      overlapping: level.flatMap(({ text, box: own }, index) =>
        level
          .slice(index + 1)
          .filter((other) => meets(own, other.box))
          .map((other) => `${text} and ${other.text}`),
      ),
    };
  });
  return {
    background: getComputedStyle(root).backgroundColor,
    overflow: root.scrollWidth - root.clientWidth,
    figures,
  };
}
