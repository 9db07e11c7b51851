/// <reference lib="dom" />
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../test/helpers/browser.ts";
import { runCli } from "../../test/helpers/run-cli.ts";
import { buildPage } from "../build.mjs";
import { serveFolder } from "../serve.mjs";

const WIDE = { width: 1280, height: 860 } as const;
const NARROW = { width: 360, height: 740 } as const;

/** A page, with what it asked for and what went wrong. */
interface Watched {
  readonly page: Page;
  /** Addresses of all requests, of the page and of its worker. */
  readonly requests: string[];
  /** Errors, and messages of the console that are no plain output. */
  readonly complaints: string[];
}

describe.skipIf(!hasBrowser)("the page", () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-page-"));
  let browser: Browser;
  let context: BrowserContext;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let first: Watched;

  beforeAll(async () => {
    await buildPage(folder);
    server = await serveFolder(folder);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_FLAGS] });
    context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
    first = await open(context, server.url);
    await phase(first.page, "trained");
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  it("trains two networks, shows the ridge between them, and removes it by the keyboard alone", async () => {
    const { page } = first;
    await page.locator("#place").focus();
    await page.keyboard.press("Home");
    expect((await shown(page)).words).toMatch(/^A: loss/);
    for (let step = 0; step < 12; step++) await page.keyboard.press("ArrowRight");
    const asTrained = await shown(page);
    expect(asTrained.words).toMatch(/^half A, half B: loss [\d.]+ nats, [\d.]+\s% misread$/);
    expect(asTrained.error).toBeGreaterThan(30);
    expect(asTrained.wrong).toBeGreaterThan(5);
    await tabTo(page, "align");
    await page.keyboard.press("Enter");
    await phase(page, "aligned");
    const aligned = await shown(page);
    expect(aligned.error).toBeLessThan(12);
    expect(aligned.wrong).toBeLessThan(asTrained.wrong);
    const [before, after] = await page.locator("#numbers dd").first().evaluate(barriers);
    expect(before).toBeGreaterThan(1);
    expect(after).toBeLessThan(0.1);
    expect(page.url()).toMatch(/#seeds=0,1&width=64&place=12&aligned=1$/);
    expect(await page.textContent("#narration")).toMatch(/B computes what it did, the same to \de-\d/);
  });

  it("saves the merged network that the command makes of the two others, to the byte", async () => {
    const files = mkdtempSync(join(tmpdir(), "isthmus-page-files-"));
    for (const button of await first.page.locator("#files button").all()) {
      const [download] = await Promise.all([first.page.waitForEvent("download"), button.click()]);
      await download.saveAs(join(files, download.suggestedFilename()));
    }
    const pair = ["a.safetensors", "b.safetensors", "--align", "--graph", "a.onnx"];
    const merge = await runCli(["merge", ...pair, "-o", "again.safetensors"], { cwd: files });
    expect(merge.stderr).toBe("");
    const read = (name: string) => readFileSync(join(files, name));
    expect(read("again.safetensors").equals(read("merged.safetensors"))).toBe(true);
    const measured = await runCli(["barrier", ...pair, "--data", "mnist:test@2000", "--json"], {
      cwd: files,
    });
    const { barrier } = JSON.parse(measured.stdout) as { barrier: { loss: { chord: number } } };
    const [, after = Number.NaN] = await first.page.locator("#numbers dd").first().evaluate(barriers);
    expect(Math.abs(barrier.loss.chord - after)).toBeLessThan(0.0006);
    const tensors = (bytes: Buffer) => bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
    const merged = tensors(read("merged.safetensors"));
    const home = process.cwd();
    process.chdir(files);
    // The script that the page shows: it writes merged.safetensors anew, and checks the barrier.
    await import("../src/shown/script.ts").finally(() => process.chdir(home));
    expect(tensors(read("merged.safetensors")).equals(merged)).toBe(true);
    rmSync(files, { recursive: true });
  });

  it("asks nothing of any other origin, which its content security policy forbids to its worker, too", async () => {
    const { page, requests, complaints } = first;
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !/^(blob:)?http:\/\/localhost:/.test(url))).toEqual([]);
    const [worker] = page.workers();
    const refused = await worker?.evaluate(
      () =>
        new Promise<string>((resolve) => {
          addEventListener("securitypolicyviolation", (event) =>
            resolve((event as SecurityPolicyViolationEvent).effectiveDirective),
          );
          fetch("http://127.0.0.1:9/").catch(() => setTimeout(() => resolve("no policy"), 500));
        }),
    );
    expect(refused).toBe("connect-src");
  });

  it("works without a network once it was loaded, and shows the same numbers by its address", async () => {
    const { page } = first;
    const before = await everything(page);
    await page.waitForFunction(() => document.getElementById("offline")?.textContent !== "");
    const { url } = server;
    await server.close();
    const again = await open(context, page.url());
    await phase(again.page, "aligned");
    expect(await everything(again.page)).toEqual(before);
    expect(again.complaints).toEqual([]);
    await again.page.close();
    server = await serveFolder(folder, Number(new URL(url).port));
  });

  it("fits a narrow screen in the dark, and shows another pair by its address", async () => {
    const narrow = await browser.newContext({
      viewport: NARROW,
      colorScheme: "dark",
      reducedMotion: "reduce",
    });
    const { page, complaints } = await open(narrow, `${server.url}#seeds=5,3&width=32&place=6`);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await phase(page, "trained");
    expect(await page.inputValue("#place")).toBe("6");
    expect(await page.inputValue("#seed-a")).toBe("5");
    expect(await page.textContent("#panel-shell")).toContain("--net mlp:32x3");
    for (const tab of await page.locator("[role=tab]").all()) {
      await tab.click();
      expect(await overflow()).toBeLessThanOrEqual(0);
    }
    expect(complaints).toEqual([]);
    await narrow.close();
  });

  it("shows a picture and its text without JavaScript", async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const page = await plain.newPage();
    await page.goto(server.url);
    expect(await page.locator("#land img").evaluate((image: HTMLImageElement) => image.complete)).toBe(true);
    expect(await page.textContent("main")).toContain("Why this works");
    await plain.close();
  });
});

async function open(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage();
  const watched: Watched = { page, requests: [], complaints: [] };
  context.on("request", (request) => watched.requests.push(request.url()));
  page.on("pageerror", (error) => watched.complaints.push(error.message));
  page.on("console", (message) => watched.complaints.push(message.text()));
  await page.goto(url);
  return watched;
}

async function phase(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`#stage:is([data-phase=${name}], [data-phase=failed])`, { timeout: 150_000 });
  expect(await page.getAttribute("#stage", "data-phase"), (await page.textContent("#narration")) ?? "").toBe(
    name,
  );
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 10; presses++) {
    if ((await page.evaluate(() => document.activeElement?.id)) === id) return;
    await page.keyboard.press("Tab");
  }
  expect.fail(`Tab does not reach "${id}"`);
}

/** Reads what lies under the thumb. */
async function shown(page: Page) {
  const words = (await page.getAttribute("#place", "aria-valuetext")) ?? "";
  const [, error] = /([\d.]+)\s% misread/.exec(words) ?? [];
  return { words, error: Number(error), wrong: await page.locator("#digits .wrong").count() };
}

/** Reads all numbers but the times. */
async function everything(page: Page) {
  const numbers = await page.locator("#numbers dd").allTextContents();
  const units = await page.locator("#units-mean").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  return { ...(await shown(page)), numbers: numbers.slice(0, 2), units };
}

function barriers(shown: Element): number[] {
  return [...(shown.textContent ?? "").matchAll(/[\d.]+/g)].map(([number]) => Number(number));
}
