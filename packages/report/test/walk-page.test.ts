/// <reference lib="dom" />
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { MapResult } from "@isthmus/barrier";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { buildWalkScript } from "../../../tools/write-walk-script.mjs";
import { hostileMapResult, mapResult, walkedMapResult } from "../../barrier/test/map-result.ts";
import { renderResultPage } from "../src/page/render-result-page.ts";
import { WALK_SCRIPT } from "../src/page/walk-script.ts";
import { parsePage } from "./parse-page.ts";

/** Size in bytes that the script may have, as every page of a map carries it. */
const MOST_SCRIPT = 17_000;
/** Size in bytes that the page of 60 networks may have. */
const MOST_PAGE = 5e6;

const pageOf = (result: MapResult): Promise<string> =>
  renderResultPage({ title: "A map", result, commands: ["isthmus map"] });

describe("the page of a map", () => {
  it("carries the numbers of the result, and nothing else, as the data that its script walks on", async () => {
    const result = walkedMapResult();
    const data = JSON.parse(parsePage(await pageOf(result)).querySelector("script.walk")?.textContent ?? "");
    const { before, after, networks, ground, paths } = result;
    expect(data.pairs).toEqual(
      before.pairs.map(({ a, b, ...line }, i) => {
        const { a: _a, b: _b, ...aligned } = after.pairs[i]!;
        return { a, b, stages: [line, aligned] };
      }),
    );
    expect(data.networks.map(({ loss }: { loss: number }) => loss)).toEqual(networks.map(({ loss }) => loss));
    expect(data.ground).toMatchObject({ xs: ground?.xs, ys: ground?.ys, loss: ground?.loss });
    expect(data.ground.marks[1]).toEqual({
      ...{ kind: "minimum", place: [30, 15] },
      words: "minimum of the squares: loss 0.5200, joins a deeper one at 0.6000",
    });
    expect(data.paths[0].points).toEqual(paths?.[0]?.points);
    expect(data.views.map(({ name }: { name: string }) => name)).toEqual(["before", "after", "ground"]);
    expect(data.views[1].places).toEqual(after.places.networks);
    // The copy lies on its original once aligned, so that both are one point; the star is off the ground.
    expect([data.views[0].groups.length, data.views[1].groups]).toEqual([5, [[0, 1], [2], [3], [4]]]);
    expect(data.views[2].off).toEqual([0, 0, 0, 0, 9.5]);
    // A path to a network that alignment moves is shown among the networks before alignment only.
    expect(data.views.map(({ paths: shown }: { paths: number[] }) => shown)).toEqual([[0], [], []]);
  });

  it("says the same in tables for readers without scripts", async () => {
    const document = parsePage(await pageOf(walkedMapResult()));
    expect(document.querySelector("#table-way-losses tbody tr")?.textContent).toContain("s0copy0.7600");
    expect(document.querySelector("#table-paths tbody tr")?.textContent).toBe(
      "trained curves0s100.08002.00 %",
    );
    expect([...document.querySelectorAll("#table-ground tbody tr")]).toHaveLength(12);
    expect(document.querySelector("#figure-walk .full svg")).not.toBeNull();
  });

  it("shows results of older versions, which lack the losses on lines", async () => {
    const document = parsePage(await pageOf(mapResult()));
    expect(document.querySelector("#table-way-losses")).toBeNull();
    expect(document.querySelector("script.walk")?.textContent).not.toContain('"losses"');
  });

  it("has the script that its sources make, of a limited size", async () => {
    expect(WALK_SCRIPT === (await buildWalkScript())).toBe(true);
    expect(WALK_SCRIPT.length).toBeLessThan(MOST_SCRIPT);
    expect(WALK_SCRIPT).not.toMatch(/<\/script|innerHTML|eval\(|new Function/i);
  });
});

let context: BrowserContext;
let folder: string;
beforeAll(async () => {
  if (!hasBrowser) return;
  folder = mkdtempSync(join(tmpdir(), "isthmus-walk-"));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_FLAGS] });
  context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
}, 60_000);
afterAll(async () => {
  await context?.browser()?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

async function open(html: string, fragment = ""): Promise<{ page: Page; faults: string[] }> {
  const path = join(folder, "map.html");
  writeFileSync(path, html);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", ({ message }) => faults.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(file|blob):/.test(request.url())) faults.push(request.url());
  });
  await page.goto(pathToFileURL(path).href + fragment);
  await page.waitForSelector(".walking .point");
  return { page, faults };
}

describe.runIf(hasBrowser)("the page of a map in a browser", { timeout: 60_000 }, () => {
  it("shows a barrier at a click, and walks it by arrow keys", async () => {
    const { page, faults } = await open(await pageOf(walkedMapResult()), "#view=after");
    expect(await page.locator(".walking .point").count()).toBe(4);
    await page.click('[data-key="point0"]');
    await page.click('[data-key="point2"]');
    const { after } = walkedMapResult();
    const { losses = [] } = after.pairs.find(({ a, b }) => a === 0 && b === 2) ?? {};
    expect(await page.textContent(".walking table")).toMatch(/Line, aligned0\.0036\d*/);
    expect(await page.textContent(".walking code")).toMatch(
      /^isthmus barrier mlp\/s0\.safetensors mlp\/s1\./,
    );
    await page.focus(".walking input[type=range]");
    await page.keyboard.press("ArrowRight");
    expect(await page.textContent(".here")).toBe(
      `t = 0.25: loss ${Number(losses[0]?.toPrecision(4))} nats, error ${Number((2 + 100 * 0.5 * (after.pairs[1]?.error ?? 0)).toPrecision(4))} %`,
    );
    expect(await page.locator(".map .walker").count()).toBe(1);
    expect(page.url()).toMatch(/#view=after&a=0&b=2&way=0&step=1$/);
    // By keys alone: the curve is walked among the networks before alignment.
    await page.check('input[value="before"]');
    await page.selectOption(".walking label:has-text('Walk') select", {
      label: "⁨trained curve (the first 500 examples of mnist:test)⁩",
    });
    expect(await page.textContent(".here")).toBe("t = 0: loss 0.08 nats, error 2 %");
    await page.focus('[data-key="join0"]');
    expect(await page.textContent(".status")).toContain("join at a mean loss barrier of");
    expect(await page.locator(".map .point.dim").count()).toBeGreaterThan(0);
    await page.focus('[data-key="point3"]');
    await page.keyboard.press("Enter");
    expect(page.url()).toMatch(/#view=before&a=3&way=0&step=0$/);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-key"))).toBe("point3");
    expect(faults).toEqual([]);
    await page.close();
  });

  it("takes hostile names and fragments for text, and shows 60 networks in a page of limited size", async () => {
    const html = await pageOf(hostileMapResult(60));
    expect(html.length).toBeLessThan(MOST_PAGE);
    const { page, faults } = await open(html, "#a=<script>&b=__proto__&view=constructor&step=1e9");
    for (const fragment of [
      "#a=-1&b=99999999&join=60&way=7&step=999999",
      `#${"a=0&".repeat(5000)}`,
      "#%E0%A4%A&a=%00",
      "#a=0&b=1&view=after&way=3&step=4&join=58",
    ]) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, fragment);
      await page.waitForFunction(() => document.querySelectorAll(".walking .point").length === 60);
    }
    expect(await page.textContent(".here")).toMatch(/^t = 1: loss/);
    expect(await page.title()).toBe("A map");
    expect(faults).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
    await page.close();
  });
});
