/// <reference lib="dom" />
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { encodeGraph } from "@isthmus/graph";
import { renderFigures } from "@isthmus/report";
import { parseNetwork } from "@isthmus/zoo";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../test/helpers/browser.ts";
import { runCli } from "../../test/helpers/run-cli.ts";
import { buildPage } from "../build.mjs";
import { serveFolder } from "../serve.mjs";
import { command, drop, run } from "./lab-steps.ts";
import { encodeSafetensors, OWN_EXAMPLES } from "./own-examples.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const FIXTURES = `${root}packages/core/test-fixtures/`;
const PAIR = ["s0.safetensors", "s1.safetensors", "graph.onnx"];
const AVERAGE = "merge_method: linear\nmodels:\n  - model: s0.safetensors\n  - model: s1.safetensors\n";
const POINTS = 3;
const IMAGES = 100;

if (!hasBrowser)
  console.warn(
    `SKIPPED: no file was dropped on the page, as there is no browser at ${CHROMIUM}: apt-get install chromium`,
  );

describe.skipIf(!hasBrowser)("files of one's own on the page", () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-lab-"));
  const site = join(folder, "site");
  let browser: Browser;
  let context: BrowserContext;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    await writePair(folder);
    writeFileSync(join(folder, "recipe.yml"), AVERAGE);
    await buildPage(site);
    server = await serveFolder(site);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_FLAGS] });
    context = await browser.newContext({ serviceWorkers: "block", reducedMotion: "reduce" });
    // The story's training, which its own tests cover, would take the processors.
    await context.route(/\/assets\/worker-/, (route) => route.abort());
    // No dialog of the system can be answered here: files are downloaded, as in browsers that have none.
    await context.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
    page = await open(server.url);
    await drop(
      page,
      PAIR.map((name) => join(folder, name)),
    );
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(url: string): Promise<Page> {
    const opened = await context.newPage();
    opened.on("request", (request) => requests.push(request.url()));
    opened.on("pageerror", (error) => complaints.push(error.message));
    opened.on("console", (message) => {
      if (/attribute/.test(message.text())) complaints.push(message.text());
    });
    opened.on("dialog", (dialog) => complaints.push(dialog.message()));
    await opened.goto(url);
    return opened;
  }

  it("a pair is judged, its symmetries are found and proved, and the command that says the same is shown", async () => {
    expect(await run(page, "lab-compare")).toMatch(/^Different seed: align first \(9\d % sure/);
    const judged = JSON.parse(await isthmus("isthmus compare s0.safetensors s1.safetensors --json"));
    expect(judged.verdict).toBe("different seed");
    expect(await page.textContent("#lab-compare .depth .small")).toBe(`${judged.verdicts[0].evidence}.`);
    expect(await page.locator("#lab-compare .distances rect").count()).toBe(8);
    expect(await page.textContent("#lab-compare .advice")).toMatch(
      /^Advice: align them, then linear\. units/,
    );
    expect(await command(page, "lab-compare")).toBe("isthmus compare s0.safetensors s1.safetensors");
    const found = await run(page, "lab-symmetry");
    expect(found).toMatch(
      /^3 groups of units can change places; 9 of 12 axes .* proved on \d+ values inside/,
    );
    expect(await page.textContent("#lab-symmetry .result")).toContain("layers.0.weight:0, layers.0.bias:0");
  });

  it("the script of the figures is not loaded before there is one to draw", () => {
    expect(requests.filter((url) => url.includes("report-figure-"))).toEqual([]);
  });

  it("B is aligned, and its file has the bytes that the command writes", async () => {
    expect(await run(page, "lab-align")).toMatch(/Verified: B computes what it did, the same to \de-\d/);
    await page.click("#lab-align >> text=Write s1-aligned.safetensors");
    const digest = await downloaded(page, "#lab-align .save");
    await isthmus((await command(page, "lab-align")) ?? "");
    expect(digest).toBe(digestOf(join(folder, "s1-aligned.safetensors")));
  });

  it("the line between them has the losses that the command measures", async () => {
    await page.fill("#lab-points", String(POINTS));
    await page.fill("#lab-first", String(IMAGES));
    await page.locator("#lab-first").blur();
    expect(await run(page, "lab-barrier")).toMatch(
      /^Barrier: [\d.]+ nats as given, [\d.]+ once B is aligned/,
    );
    const shown = (await command(page, "lab-barrier")) ?? "";
    expect(shown).toContain(`--data mnist:test@${IMAGES} --align --compare --points ${POINTS}`);
    const measured = JSON.parse(await isthmus(`${shown} --json`));
    await expectLosses(measured);
    // The figures are the command's; the engines round otherwise, which places of curves show and words do not.
    const sources = await page
      .locator("#lab-barrier .drawn img.of-light")
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src));
    const wordsOf = (svg: string) => [...svg.matchAll(/>([^<>]+)</g)].map(([, text]) => text);
    const drawn = sources.map((source) => wordsOf(decodeURIComponent(source.replace(/^[^,]*,/, ""))));
    expect(drawn).toEqual((await renderFigures(measured)).map(({ svg }) => wordsOf(svg)));
    expect(await page.locator("#lab-barrier .drawn img:visible").count()).toBe(drawn.length);
    expect(requests.filter((url) => url.includes("report-figure-"))).toHaveLength(1);
  });

  it.each(OWN_EXAMPLES)(
    "the losses on examples of one's own, %s, are the command's, on as many as there are",
    async (_, name, files) => {
      for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
      await drop(
        page,
        files.map(([path]) => join(folder, path)),
      );
      await page.selectOption("#lab-data", name);
      await run(page, "lab-barrier");
      const shown = (await command(page, "lab-barrier")) ?? "";
      expect(shown).toContain(`--data ${name}@8 `);
      await expectLosses(JSON.parse(await isthmus(`${shown} --json`)));
      for (const [path] of files)
        await page
          .locator(".given li", { has: page.locator(`text="${path}"`) })
          .locator("text=Remove")
          .click();
      await page.waitForSelector("#lab-say >> text=3 files.");
    },
  );

  it("a recipe is explained as it is written, with problems at their lines, and merged to the command's bytes", async () => {
    await page.fill("#lab-recipe", AVERAGE.replace("models:", "modles:"));
    await page.waitForSelector("#lab-merge .problems >> text=did you mean");
    expect(await page.textContent("#lab-merge .problems")).toMatch(/Line 2 "modles".*did you mean "models"/);
    expect(await page.isDisabled("#lab-merge .go")).toBe(true);
    await page.fill("#lab-recipe", AVERAGE);
    await page.waitForFunction(() =>
      /8 tensors merged/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
    );
    expect(await run(page, "lab-merge")).toMatch(/^Written in .*: merged\.safetensors, [\d.]+ kB\.$/);
    const digest = await downloaded(page, "#lab-merge .save");
    await isthmus((await command(page, "lab-merge")) ?? "");
    expect(digest).toBe(digestOf(join(folder, "merged.safetensors")));
  });

  it("a merge of networks that were trained apart is warned of in the words of the command, and leads to Align", async () => {
    const finding = page.locator("#lab-merge .finding.warning");
    const { stderr } = await runCli(["merge", "recipe.yml", "-o", "warned.safetensors"], { cwd: folder });
    const shown =
      (await finding.textContent())?.replace(/^warning | Go to Align$/g, "").replace(/\.$/, "") ?? "";
    expect(shown).toMatch(/were trained apart and have no units in common \(kinship .*align them first: /);
    expect(withoutSources(stderr)).toContain(withoutSources(shown));
    await finding.locator("text=Go to Align").click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("lab-align-title");
    await run(page, "lab-compare");
    const compared = await page.locator("#lab-compare .finding.warning").textContent();
    expect(compared).toContain("were trained apart and have no units in common");
  });

  it("a result is marked as old once the recipe, its method, a weight or the files are others", async () => {
    const state = () => page.getAttribute("#lab-merge", "data-state");
    expect(await state()).toBe("done");
    await page.fill("#lab-recipe", AVERAGE.replace("linear", "karcher"));
    expect(await state()).toBe("stale");
    expect(await page.textContent("#lab-merge > .say")).toMatch(/changed since: merge again/);
    expect(await page.locator("#lab-merge .command").count()).toBe(0);
    expect(await page.isVisible("#lab-merge .save")).toBe(true);
    await page.fill("#lab-recipe", "");
    await page.selectOption("#lab-method", "slerp");
    await page.selectOption("#lab-method", "linear");
    const explained = () =>
      page.waitForFunction(() =>
        /8 tensors merged/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
      );
    await explained();
    await run(page, "lab-merge");
    await page.fill('[data-parameter="weight:1"]', "0.25");
    expect(await state()).toBe("stale");
    await explained();
    await run(page, "lab-merge");
    writeFileSync(join(folder, "third.safetensors"), readFileSync(join(folder, "s1.safetensors")));
    await drop(page, [join(folder, "third.safetensors")]);
    expect(await state()).toBe("stale");
    await page.locator(".given li", { hasText: "third.safetensors" }).locator("text=Remove").click();
    await page.waitForSelector("#lab-say >> text=3 files.");
  });

  it("an aligned merge by a method's own form, and the recipe is in the address", async () => {
    await page.fill("#lab-recipe", "");
    await page.selectOption("#lab-method", "ties");
    expect(await page.inputValue("#lab-recipe")).toBe(
      "merge_method: ties\nbase_model: s1.safetensors\nmodels:\n  - model: s0.safetensors\n    parameters: { weight: 1 }\n",
    );
    // A parameter without a default begins in the middle of its range.
    await page.selectOption("#lab-method", "slerp");
    expect(await page.inputValue('[data-parameter="t"]')).toBe("0.5");
    await page.check("#lab-merge-align");
    await page.waitForFunction(() =>
      /aligned first/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
    );
    expect(await page.locator("#lab-merge .finding").count()).toBe(0);
    const recipe = await page.inputValue("#lab-recipe");
    expect(recipe).toBe(
      "merge_method: slerp\nmodels:\n  - model: s0.safetensors\n  - model: s1.safetensors\n    align: true\nparameters:\n  t: 0.5\n",
    );
    await run(page, "lab-merge");
    const digest = await downloaded(page, "#lab-merge .save");
    writeFileSync(join(folder, "recipe.yml"), recipe);
    const shown = (await command(page, "lab-merge")) ?? "";
    expect(shown).toBe("isthmus merge recipe.yml --graph graph.onnx -o merged.safetensors");
    await isthmus(shown);
    expect(digest).toBe(digestOf(join(folder, "merged.safetensors")));
    const sent = await open(page.url());
    await sent.waitForFunction(() =>
      /slerp/.test(document.querySelector<HTMLTextAreaElement>("#lab-recipe")?.value ?? ""),
    );
    await sent.waitForSelector("#lab-merge .problems >> text=s0.safetensors");
    // The file of the visit before is still there, to be saved or removed.
    await sent.waitForSelector("#lab-place .written >> text=Save merged.safetensors");
    const earlier = await sent.locator("#lab-place .written li").count();
    await sent.locator("#lab-place .written li", { hasText: "merged" }).locator("text=Remove").click();
    await expect.poll(() => sent.locator("#lab-place .written li").count()).toBe(earlier - 1);
    await sent.close();
  });

  it("a result is streamed into the file that the reader picks, if the browser can", async () => {
    const own = await open(server.url);
    await own.evaluate(() => {
      const pick = async (options: { suggestedName: string }) =>
        (await navigator.storage.getDirectory()).getFileHandle(`picked-${options.suggestedName}`, {
          create: true,
        });
      Object.assign(window, { showSaveFilePicker: pick });
    });
    const transfer = await own.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(["merge_method: linear\nmodels: []\n"], "dropped.yml"));
      return data;
    });
    await own.dispatchEvent("body", "drop", { dataTransfer: transfer });
    await own.waitForSelector(".given >> text=dropped.yml");
    expect(await own.inputValue("#lab-recipe")).toBe("merge_method: linear\nmodels: []\n");
    await own.fill("#lab-recipe", "");
    await drop(own, [join(folder, "s0.safetensors"), join(folder, "s1.safetensors")]);
    await own.waitForFunction(() =>
      /8 tensors merged/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
    );
    await run(own, "lab-merge");
    await own.click("#lab-merge .save");
    await own.waitForSelector("#lab-merge .written >> text=Saved.");
    const sizes = await own.evaluate(async () => {
      const storage = await navigator.storage.getDirectory();
      const names = ["picked-merged.safetensors", "merged.safetensors"];
      return Promise.all(
        names.map(async (name) => (await (await storage.getFileHandle(name)).getFile()).size),
      );
    });
    expect(sizes[0]).toBeGreaterThan(0);
    expect(sizes[0]).toBe(sizes[1]);
    await own.close();
  });

  it("files of PyTorch merge to the library's bytes", async () => {
    const own = await open(server.url);
    await drop(own, [`${FIXTURES}training.pt`, `${FIXTURES}training-protocol4.pt`]);
    expect(await run(own, "lab-compare")).toMatch(/^Identical: there is nothing to merge/);
    const recipe =
      "merge_method: linear\nmodels:\n  - model: training.pt\n  - model: training-protocol4.pt\n";
    await own.waitForFunction(() =>
      /merged/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
    );
    expect(await own.inputValue("#lab-recipe")).toBe(recipe);
    await run(own, "lab-merge");
    const digest = await downloaded(own, "#lab-merge .save");
    for (const name of ["training.pt", "training-protocol4.pt"])
      copyFileSync(FIXTURES + name, join(folder, name));
    await isthmus("isthmus merge recipe.yml -o training.safetensors", recipe);
    expect(digest).toBe(digestOf(join(folder, "training.safetensors")));
    await own.close();
  });

  it("hostile files say what is wrong with them, run nothing, and are shown as text", async () => {
    const own = await open(server.url);
    const evil = '<img src=x onerror="window.wrong=1">';
    const header = (size: bigint, text: string) => {
      const bytes = Buffer.alloc(8 + text.length);
      bytes.writeBigUInt64LE(size);
      bytes.write(text, 8);
      return bytes;
    };
    const named = createCheckpoint(new Map([[evil, createTensor("f32", [1], Float32Array.of(1))]]));
    await saveCheckpoint(named, join(folder, `${evil}.safetensors`));
    writeFileSync(join(folder, "cut.safetensors"), header(900n, '{"w":{"dtype":"F32"'));
    writeFileSync(join(folder, "vast.safetensors"), header(2n ** 60n, '{"w":1}'));
    writeFileSync(join(folder, "many.safetensors"), manyTensors(100_000));
    writeFileSync(join(folder, "empty.npz"), "");
    const made = [
      `${evil}.safetensors`,
      "cut.safetensors",
      "vast.safetensors",
      "many.safetensors",
      "empty.npz",
    ];
    const harmful = ["bomb.pt", "harmful-system.pt", "harmful-eval-legacy.pt"];
    await drop(own, [...made.map((name) => join(folder, name)), ...harmful.map((name) => FIXTURES + name)]);
    const problem = (name: string) =>
      own.locator(".given li", { hasText: name }).locator(".bad").textContent();
    expect(await problem("cut.safetensors")).toMatch(/Cannot .*cut\.safetensors/);
    expect(await problem("vast.safetensors")).toMatch(/Cannot .*vast\.safetensors.*1152921504606846976/);
    for (const name of [...harmful, "empty.npz"]) expect(await problem(name)).toMatch(/^Cannot /);
    const many = own.locator(".given li", { hasText: "many.safetensors" });
    await many.locator("text=Look inside").click();
    await many.locator("text=100,000 tensors, 100 of them shown").waitFor();
    await many.locator("input[type=search]").fill("99999");
    await many.locator("text=/^1 tensor$/").waitFor();
    const item = own.locator(".given li", { hasText: `${evil}.safetensors` });
    await item.locator("text=Look inside").click();
    expect(await item.locator("td").first().textContent()).toBe(evil);
    await own.waitForTimeout(50);
    expect(await own.evaluate(() => (window as unknown as { wrong?: number }).wrong)).toBe(undefined);
    expect(await own.locator("#lab img").count()).toBe(0);
    await own.close();
  });

  it("two files of one name are told apart, and one that changes after it was chosen is not read", async () => {
    const own = await open(server.url);
    const path = join(folder, "changing.safetensors");
    copyFileSync(join(folder, "s0.safetensors"), path);
    await drop(own, [path]);
    const small = createCheckpoint(new Map([["w", createTensor("f32", [1], Float32Array.of(1))]]));
    await saveCheckpoint(small, join(folder, "s0.safetensors"), { overwrite: true });
    await own.setInputFiles("#lab-files", {
      name: "changing.safetensors",
      mimeType: "",
      buffer: readFileSync(join(folder, "s0.safetensors")),
    });
    await own.waitForSelector(".given >> text=2/changing.safetensors");
    writeFileSync(path, "changed");
    const say = await run(own, "lab-compare", "failed");
    expect(say).toMatch(/Cannot .*changing\.safetensors.*it was changed or removed; choose it again/);
    await own.close();
  });

  it("a graph waits for the file of its weights, and may be of another network than A", async () => {
    const names = [
      "conv-norm-1.pt",
      "conv-norm-0.pt",
      "conv-norm-external.onnx",
      "conv-norm-external.onnx.data",
    ];
    const exported = join(root, "test", "fixtures", "exported-networks");
    for (const name of names) copyFileSync(join(exported, name), join(folder, name));
    const [a = "", b = "", graph = "", data = ""] = names.map((name) => join(folder, name));
    const own = await open(server.url);
    await drop(own, [a, b, graph]);
    expect(await own.textContent(".given .bad")).toBe(
      "Drop conv-norm-external.onnx.data as well: the graph keeps its weights there.",
    );
    expect(await own.textContent("#lab-symmetry")).toContain("conv-norm-external.onnx cannot be read yet");
    await drop(own, [data]);
    expect(await run(own, "lab-symmetry")).toMatch(/proved on \d+ values inside/);
    const shown = (await command(own, "lab-symmetry")) ?? "";
    expect(shown).toMatch(/--checkpoint conv-norm-1\.pt --exported-from conv-norm-0\.pt$/);
    await isthmus(shown);
    await own.click("#lab-swap");
    expect(await own.inputValue("#lab-a")).toBe("conv-norm-0.pt");
    expect(await own.inputValue("#lab-b")).toBe("conv-norm-1.pt");
    await own.close();
  });

  it("shards are one network with their index, and a result for which there is no room leaves no file", async () => {
    const own = await open(server.url);
    const whole = await openCheckpoint(join(folder, "s1.safetensors"));
    const { files } = await saveCheckpoint(whole, join(folder, "sharded"), { maxShardBytes: 1e5 });
    await whole.close();
    await drop(own, [...files, join(folder, "s1.safetensors")]);
    const uses = own
      .locator(".given li")
      .evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset["use"]));
    expect((await uses).sort()).toEqual(["network", "network", ...files.slice(1).map(() => "part")]);
    expect(await run(own, "lab-compare")).toMatch(/^Identical: there is nothing to merge/);
    await own.fill("#lab-output", "joined.safetensors");
    expect(await run(own, "lab-merge")).toMatch(/^Written in .*: joined\.safetensors/);
    const digest = await downloaded(own, "#lab-merge .save");
    for (const file of files) copyFileSync(file, join(folder, basename(file)));
    await isthmus((await command(own, "lab-merge")) ?? "", await own.inputValue("#lab-recipe"));
    expect(digest).toBe(digestOf(join(folder, "joined.safetensors")));
    const session = await context.newCDPSession(own);
    const { origin } = new URL(server.url);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 50_000 });
    await own.fill("#lab-output", "full.safetensors");
    // Chromium tells pages a round number in place of what is left.
    await own.evaluate(() =>
      Object.defineProperty(navigator.storage, "estimate", {
        value: async () => ({ quota: 50_000, usage: 0 }),
      }),
    );
    await own.fill("#lab-recipe", `${await own.inputValue("#lab-recipe")}\n`);
    await own.waitForSelector("#lab-merge > .say >> text=this browser lets the page write");
    expect(await own.isDisabled("#lab-merge .go")).toBe(true);
    // Space that goes while the file is written ends the merge, too.
    await own.locator("#lab-merge .go").evaluate((button: HTMLButtonElement) => {
      button.disabled = false;
    });
    expect(await run(own, "lab-merge", "failed")).toMatch(/Cannot .*full\.safetensors.*quota/);
    expect(await own.evaluate(listStorage)).not.toContain("full.safetensors");
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await own.close();
  });

  it("fits a narrow screen in the dark, has a label for each field, starts by a press, and long work can be stopped", async () => {
    const narrow = await browser.newContext({
      viewport: { width: 360, height: 740 },
      colorScheme: "dark",
      serviceWorkers: "block",
    });
    await narrow.route(/\/assets\/worker-/, (route) => route.abort());
    const own = await narrow.newPage();
    await own.goto(server.url);
    await own.click("#lab-examples");
    await own.waitForSelector(".given li:nth-child(3)");
    await own.click(".given li:nth-child(1) >> text=Look inside");
    await run(own, "lab-compare");
    await own.waitForFunction(() =>
      /merged/.test(document.querySelector("#lab-explained")?.textContent ?? ""),
    );
    expect(await own.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    const unnamed = await own
      .locator("#lab")
      .evaluate((lab) =>
        [...lab.querySelectorAll<HTMLInputElement>("input, select, textarea")]
          .filter((field) => (field.labels?.length ?? 0) === 0 && field.getAttribute("aria-label") === null)
          .map(({ id }) => id),
      );
    expect(unnamed).toEqual([]);
    // These networks are large enough to be stopped while they are matched, which hears no message.
    await own.click("#lab-align .go");
    await own.click("#lab-align >> text=Cancel");
    await own.waitForFunction(() => document.querySelector("#lab-align > .say")?.textContent === "Stopped.");
    expect(await run(own, "lab-compare")).toMatch(/^Different seed/);
    await narrow.close();
  });

  it("asks nothing of any other origin, and nothing fails in silence", () => {
    expect(requests.filter((url) => !/^(blob:)?http:\/\/localhost:/.test(url))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  /** Compares the numbers that the page shows of both lines with those of the command. */
  async function expectLosses(measured: MeasuredLines): Promise<void> {
    const rows = await page
      .locator("#lab-barrier table tbody tr")
      .evaluateAll((all) =>
        all.map((row) =>
          [...row.querySelectorAll("td")].map((cell) => Number.parseFloat(cell.textContent ?? "")),
        ),
      );
    expect(rows.length).toBe(POINTS);
    for (const [index, [, given, aligned, errors]] of rows.entries()) {
      const before = measured.asGiven.points[index];
      expect(Math.abs((given ?? Number.NaN) - (before?.loss ?? 0))).toBeLessThan(1e-5);
      expect(Math.abs((aligned ?? Number.NaN) - (measured.points[index]?.loss ?? 0))).toBeLessThan(1e-5);
      expect(errors).toBeCloseTo(100 * (before?.error ?? Number.NaN), 1);
    }
  }

  /** Runs a command that the page shows, in the folder of the files. */
  async function isthmus(shown: string, recipe?: string): Promise<string> {
    if (recipe !== undefined) writeFileSync(join(folder, "recipe.yml"), recipe);
    const { code, stdout, stderr } = await runCli(shown.split(" ").slice(1), { cwd: folder });
    expect(code, stderr).toBe(0);
    return stdout;
  }
});

/** Points of a line, as the command tells them. */
interface MeasuredPoints {
  readonly points: readonly { readonly loss: number; readonly error: number }[];
}

/** What the command tells of two lines. */
interface MeasuredLines extends MeasuredPoints {
  readonly asGiven: MeasuredPoints;
}

/** Writes two small networks for digits, of other random numbers, and their graph. */
async function writePair(folder: string): Promise<void> {
  const images = createTensor("u8", [1, 28, 28], new Uint8Array(784));
  const { graph, initialize } = parseNetwork(
    "mlp:32x3",
    createDataSet(images, Int32Array.of(0), { name: "digits", classes: 10 }),
  );
  writeFileSync(join(folder, "graph.onnx"), encodeGraph(graph));
  for (const seed of [0, 1]) await saveCheckpoint(initialize(seed), join(folder, `s${seed}.safetensors`));
}

/** Lists the finished files of the page's storage. */
async function listStorage(): Promise<string[]> {
  const names: string[] = [];
  const folder = (await navigator.storage.getDirectory()) as unknown as { keys(): AsyncIterable<string> };
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/** Leaves out of a sentence its punctuation, and how files are named, which is by a path on the command line. */
function withoutSources(text: string): string {
  return text.replace(/\("[^"]*"\)/g, "").replace(/[\s:]+/g, " ");
}

/** Presses a button that saves a file, and returns the SHA-256 of what arrives. */
async function downloaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return digestOf(await download.path());
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Makes a safetensors file of many tensors of one number. */
function manyTensors(count: number): Buffer {
  const entries = Array.from(
    { length: count },
    (_, i) => `"t${i}":{"dtype":"F32","shape":[],"data_offsets":[${4 * i},${4 * i + 4}]}`,
  );
  return encodeSafetensors(`{${entries.join(",")}}`, new Uint8Array(4 * count));
}
