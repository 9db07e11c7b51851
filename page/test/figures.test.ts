/// <reference lib="dom" />
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pagePaletteCss } from "../../packages/report/src/figure/palette.ts";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../test/helpers/browser.ts";
import { buildFigures } from "../build.mjs";
import { drawPictures } from "../draw-figures.ts";
import { serveFolder } from "../serve.mjs";
import { outputsOf } from "../src/figures/permutation.ts";
import { outputOf, rotate, rotationBy, TINY } from "../src/figures/tiny-transformer.ts";

const NAMES = [...drawPictures().keys()];

describe("figures", () => {
  it("the page and the figures have the colours of the pages of results, in light and dark", () => {
    const [light = "", dark = ""] = pagePaletteCss().split("@media");
    const ofResults = (css: string, name: string) => new RegExp(`--isthmus-${name}:(#\\w+)`).exec(css)?.[1];
    const read = (path: string) => readFileSync(new URL(`../src/${path}`, import.meta.url), "utf8");
    const [palette, figures] = [read("style/palette.css"), read("figures/figures.css")];
    const names = {
      text: "text",
      muted: "muted",
      grid: "grid",
      shade: "shade",
      a: "curve-0",
      b: "curve-1",
      land: "curve-2",
    };
    for (const [own, theirs] of Object.entries(names)) {
      const colors = [ofResults(light, theirs), ofResults(dark, theirs)];
      const all = (css: string, prefix: string) =>
        [...css.matchAll(new RegExp(`--${prefix}${own}: (#\\w+);`, "g"))].map(([, color]) => color);
      expect(all(figures, "fig-"), own).toEqual(colors);
      // Dark colours stand twice: for readers who prefer them, and for those who chose them here.
      expect(all(palette, ""), own).toEqual([...colors, colors[1]]);
    }
  });

  it.each(NAMES)("the static picture of isthmus-%s is what the figure draws", (name) => {
    const kept = readFileSync(new URL(`../../docs/figures/${name}.svg`, import.meta.url), "utf8");
    expect(kept).toBe(drawPictures().get(name));
  });

  it("the outputs of the permuted network have the same bits in each order of its units", () => {
    const orders = [0, 1, 2, 3].flatMap((a) =>
      [0, 1, 2, 3].flatMap((b) => [0, 1, 2, 3].map((c) => [a, b, c, 6 - a - b - c])),
    );
    const permutations = orders.filter((order) => new Set(order).size === 4);
    expect(permutations).toHaveLength(24);
    for (const order of permutations) expect(outputsOf(order)).toEqual(outputsOf([0, 1, 2, 3]));
  });

  it("the logits of the turned transformer stay the same to rounding, while its weights change", () => {
    const logits = outputOf(TINY);
    for (const degrees of [1, 60, 179]) {
      const turned = rotate(TINY, rotationBy(degrees));
      expect(turned.up).not.toEqual(TINY.up);
      outputOf(turned).forEach((logit, word) => {
        expect(Math.abs(logit - (logits[word] ?? Number.NaN))).toBeLessThan(1e-13);
      });
    }
  });
});

describe.skipIf(!hasBrowser)("figures in a document", () => {
  let folder: string;
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isthmus-figures-"));
    await buildFigures((path, contents) => writeFileSync(join(folder, path), contents));
    const elements = NAMES.map((name) => `<isthmus-${name}><img alt="static"></isthmus-${name}>`).join("");
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:";
    writeFileSync(
      join(folder, "index.html"),
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Figures</title><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${policy}"><link rel="icon" href="data:,"><script type="module" src="figures.js"></script>${elements}</html>`,
    );
    server = await serveFolder(folder);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_FLAGS] });
    page = await browser.newPage({ viewport: { width: 360, height: 740 }, reducedMotion: "reduce" });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(server.url);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true });
  });

  it.each(NAMES)("isthmus-%s is live, and changes by the keyboard", async (name) => {
    const figure = page.locator(`isthmus-${name}`);
    expect(await figure.locator("svg[role=img][aria-label]").count()).toBe(1);
    const drawn = await figure.locator("svg").innerHTML();
    const control = figure.locator(".isthmus-controls > *").last();
    await control.focus();
    await page.keyboard.press((await control.getAttribute("type")) === "range" ? "ArrowRight" : "Enter");
    expect(await figure.locator("svg").innerHTML()).not.toBe(drawn);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(complaints).toEqual([]);
  });

  it("hidden units are dragged to each other's places, by mouse and by finger", async () => {
    const figure = page.locator("isthmus-permutation");
    await page.reload();
    await figure.scrollIntoViewIfNeeded();
    const names = () =>
      figure
        .locator("svg")
        .getAttribute("aria-label")
        .then((text) => /in the order ([a-s, ]+), and/.exec(text ?? "")?.[1]);
    const placeOf = async (unit: string) => {
      const box = await figure.locator("svg text", { hasText: new RegExp(`^${unit}$`) }).boundingBox();
      return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
    };
    expect(await names()).toBe("p, q, r, s");
    const [p, r] = [await placeOf("p"), await placeOf("r")];
    await page.mouse.move(p.x, p.y);
    await page.mouse.down();
    await page.mouse.move(p.x, (p.y + r.y) / 2);
    expect((await placeOf("p")).y).toBeCloseTo((p.y + r.y) / 2, 0);
    await page.mouse.move(r.x, r.y);
    await page.mouse.up();
    expect(await names()).toBe("r, q, p, s");
    expect(await figure.locator(".isthmus-words").textContent()).toMatch(
      /Order r, q, p, s.*the same to the last bit/,
    );
    // A unit that is let go at its own place stays there.
    await page.mouse.move(p.x, p.y);
    await page.mouse.down();
    await page.mouse.move(p.x, p.y + 12);
    await page.mouse.up();
    expect(await names()).toBe("r, q, p, s");
    const session = await page.context().newCDPSession(page);
    const touch = (
      type: "touchStart" | "touchMove" | "touchEnd",
      points: readonly { x: number; y: number }[],
    ) => session.send("Input.dispatchTouchEvent", { type, touchPoints: [...points] });
    const [q, s] = [await placeOf("q"), await placeOf("s")];
    const before = await page.evaluate(() => scrollY);
    await touch("touchStart", [s]);
    for (const share of [0.2, 0.5, 0.8, 1])
      await touch("touchMove", [{ x: q.x, y: s.y + share * (q.y - s.y) }]);
    await touch("touchEnd", []);
    await expect.poll(names).toBe("r, s, p, q");
    expect(await page.evaluate(() => scrollY)).toBe(before);
    expect(complaints).toEqual([]);
  });
});
