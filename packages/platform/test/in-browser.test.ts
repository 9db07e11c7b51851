import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import * as node from "@isthmus/platform";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { fileSteps, takeSteps } from "./page/file-steps.ts";
import { LAWS } from "./page/laws.ts";
import { type AskingPage, type Browser, readFixtures, startBrowser } from "./page/open-page.ts";
import * as work from "./page/work.ts";

const FIXTURES = "packages/core/test-fixtures/";
const FILES = [
  "types.safetensors",
  "types-protocol2.pt",
  "types-legacy.pt",
  "formats/stored.npz",
  "formats/deflated.npz",
  "formats/zip64.npz",
  "formats/weights.onnx",
  "formats/quants.gguf",
];
/** Weights that a graph keeps beside it. */
const EXTERNAL = "formats/weights.onnx.data";
const DAMAGED = ["bomb.pt", "harmful-system.pt", "complex.pt"];

if (!hasBrowser)
  console.warn(
    `SKIPPED: nothing was run in a browser, as there is none at ${CHROMIUM}: apt-get install chromium`,
  );

describe.skipIf(!hasBrowser)("in a worker of a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-page-"));
  const here = (name: string): string => join(folder, name);
  let browser: Browser;
  let ask: AskingPage["ask"];
  let first: AskingPage;
  beforeAll(async () => {
    browser = await startBrowser(
      readFixtures([...FILES, EXTERNAL, ...DAMAGED].map((name) => FIXTURES + name)),
    );
    first = await browser.openPage();
    ask = first.ask;
    await ask("mountStorage", "/out");
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Lists the storage as the browser itself sees it, whether the worker does anything or not. */
  const listStorage = ({ page }: AskingPage): Promise<unknown> =>
    page.evaluate(`(async () => {
      const names = [];
      for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
      return names.sort();
    })()`);

  describe("files that a person has chosen", () => {
    beforeAll(() => ask("fetchFile", "/weights.onnx.data", `/given/${EXTERNAL}`));

    it.each(FILES)("%s has the tensors that it has in Node.js", async (name) => {
      await ask("fetchFile", `/${name.split("/").at(-1)}`, `/given/${name}`);
      const described = await ask("describeFile", `/given/${name}`);
      expect(described.length).toBeGreaterThan(0);
      expect(described).toEqual(await work.describeFile(FIXTURES + name));
    });

    it("parts are read at once, too", async () => {
      const read = await ask("readAtOnce", `/given/${EXTERNAL}`, 16, 40);
      expect(read).toBe(work.readAtOnce(FIXTURES + EXTERNAL, 16, 40));
    });

    it.each(DAMAGED)("%s is refused as in Node.js", async (name) => {
      await ask("fetchFile", `/${name}`, `/${name}`);
      const refusal = await work.describeFile(FIXTURES + name).catch((error: Error) => error.message);
      const there = await ask("describeFile", `/${name}`).catch((error: Error) => error.message);
      expect(there).toContain(String(refusal).replace(`"${FIXTURES}${name}"`, `"/${name}"`));
    });

    it.each(["../a.pt", "/../a.pt", "/a/../b.pt", "a.pt", "/", "//a.pt", "/a/./b.pt", "/a\0.pt"])(
      "%j is no path of one",
      async (path) => {
        await expect(ask("fetchFile", "/bomb.pt", path)).rejects.toThrow(/its path must begin with "\/"/);
      },
    );

    it("two under one path are refused, and one below a file", async () => {
      await ask("fetchFile", "/bomb.pt", "/twice.pt");
      await expect(ask("fetchFile", "/bomb.pt", "/twice.pt")).rejects.toThrow(/its path must be free/);
      await expect(ask("fetchFile", "/bomb.pt", "/twice.pt/a")).rejects.toThrow(/its path must be free/);
      await ask("unmountFile", "/twice.pt");
      await ask("fetchFile", "/bomb.pt", "/twice.pt");
    });

    /** Chooses a file of the disk, and gives it to the worker. */
    async function choose(path: string, mountedAt: string): Promise<void> {
      await first.page.setInputFiles("input", path);
      await first.page.evaluate(`ask("mountFile", "${mountedAt}", document.querySelector("input").files[0])`);
    }

    it("one that was changed on the disk since it was chosen is refused", async () => {
      const path = here("changing.safetensors");
      await work.saveRandom(1, path);
      await choose(path, "/changing.safetensors");
      expect(await ask("describeFile", "/changing.safetensors")).toEqual(await work.describeFile(path));
      writeFileSync(path, "another");
      await expect(ask("describeFile", "/changing.safetensors")).rejects.toThrow(
        /Cannot read "\/changing.safetensors".* as it must stay as it was when it was chosen: it was changed or removed; choose it again/,
      );
    });

    it("one of more than 4 GiB is read by ranges", async () => {
      const path = here("large.safetensors");
      const elements = 2 ** 30 + 4;
      const header = JSON.stringify({
        w: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] },
      });
      const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
      const start = Buffer.alloc(8 + padded.length, padded);
      start.writeBigUInt64LE(BigInt(padded.length));
      start.write(padded, 8);
      writeFileSync(path, start);
      truncateSync(path, start.length + 4 * elements);
      const end = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
      writeSync(openSync(path, "r+"), end, 0, end.length, start.length + 4 * (elements - 4));
      await choose(path, "/large.safetensors");
      expect(await ask("readElements", "/large.safetensors", "w", elements - 4)).toEqual([1, 2, 3, 4]);
      expect(await ask("readElements", "/large.safetensors", "w", 5)).toEqual([0, 0, 0, 0]);
    });
  });

  describe("what is computed", () => {
    const inputs = (folderOf: (name: string) => string) => ["a.safetensors", "b.safetensors"].map(folderOf);

    it.each([
      ["memory", "/"],
      ["the storage", "/out/deep/"],
    ])("files saved to %s have the same bytes as those of Node.js", async (_, base) => {
      const there = (name: string): string => base + name;
      for (const [i, name] of ["a.safetensors", "b.safetensors"].entries())
        expect(await ask("saveRandom", i, there(name))).toBe(await work.saveRandom(i, here(name)));
      const mean = await work.saveMean(inputs(here), here("mean.safetensors"));
      for (let round = 0; round < 2; round++)
        expect(await ask("saveMean", inputs(there), there("mean.safetensors"))).toEqual(mean);
      expect([await ask("digestOutput", there("mean.safetensors"))]).toEqual(mean);
      const engine = createOnnxRuntimeEngine();
      const permuted = await work.savePermuted(engine, here("a.safetensors"), here("permuted.safetensors"));
      expect(await ask("savePermuted", there("a.safetensors"), there("permuted.safetensors"))).toBe(permuted);
      const compared = (text: string): unknown =>
        JSON.parse(text.replaceAll(/"(?:[^"]*\/)?([ab])\.safetensors"/g, '"$1"'));
      expect(compared(await ask("compareFiles", inputs(there)))).toEqual(
        compared(await work.compareFiles(inputs(here))),
      );
      expect(await ask("listFolder", base)).not.toContainEqual(expect.stringMatching(/^\./));
    });

    it("figures are drawn as in Node.js: in the worker to the same text, in the page to the same elements", async () => {
      const figure = await work.drawBarrier();
      expect(figure).toContain("barrier 1.400");
      expect(await ask("drawBarrier")).toBe(figure);
      const drawn = String(await first.page.evaluate("drawBarrier()"));
      const elementsOf = (svg: string): unknown => [svg.match(/<\w+/g), svg.match(/ d="[^"]*"/g)?.sort()];
      expect(elementsOf(drawn)).toEqual(elementsOf(figure));
    });

    it.each(Object.entries(LAWS))("%s", async (name, [, cases]) => {
      const { seed = Date.now() % 2 ** 31 } = fc.readConfigureGlobal() ?? {};
      expect(await ask("tryLaw", name, seed)).toBe(cases);
    });
  });

  describe("the storage", () => {
    it.runIf(process.platform === "linux")(
      "does what the disk of Node.js does, and fails with the same codes",
      async () => {
        let count = 0;
        await fc.assert(
          fc.asyncProperty(fileSteps, async (steps) => {
            const name = `steps-${count++}`;
            // No file of the storage is seen at once.
            const taken = steps.filter(([step]) => step !== "there");
            expect(await ask("takeSteps", `/out/${name}`, taken)).toEqual(
              await takeSteps(node, here(name), taken),
            );
          }),
          { numRuns: 20 },
        );
      },
    );

    it("keeps no half file of a page that is closed, and what is finished", async () => {
      const second = await browser.openPage();
      await second.ask("mountStorage", "/out");
      await second.ask("saveRandom", 5, "/out/whole.safetensors");
      const saving = second.ask("saveWithoutEnd", "/out/half.safetensors").catch(() => {});
      const half = expect.stringMatching(/^\.half\.safetensors\..*tmp$/);
      await expect.poll(() => listStorage(first)).toContainEqual(half);
      // Another page does not take it away while it is written.
      const third = await browser.openPage();
      await third.ask("mountStorage", "/out");
      expect(await listStorage(first)).toContainEqual(half);
      await third.page.close();
      await second.page.close();
      await saving;
      expect(await listStorage(first)).toContainEqual(half);
      expect(await listStorage(first)).not.toContain("half.safetensors");
      await first.page.close();
      first = await browser.openPage();
      ask = first.ask;
      await ask("mountStorage", "/out");
      const names = await listStorage(first);
      expect(names).not.toContainEqual(expect.stringMatching(/half|^\./));
      expect(names).toContain("whole.safetensors");
      expect(await ask("describeFile", "/out/whole.safetensors")).toHaveLength(16);
    });

    it("that is full is an error, and nothing is left of the file", async () => {
      const session = await first.page.context().newCDPSession(first.page);
      const origin = new URL(first.page.url()).origin;
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2e6 });
      await expect(ask("saveBytes", "/out/large.bin", 5e6)).rejects.toThrow(
        /InputError: Cannot write "\/out\/large.bin" as your quota must have room/,
      );
      expect(await listStorage(first)).not.toContainEqual(expect.stringContaining("large.bin"));
      await session.send("Storage.overrideQuotaForOrigin", { origin });
      await ask("saveBytes", "/out/large.bin", 5e6);
      expect(await listStorage(first)).toContain("large.bin");
    });
  });
});
