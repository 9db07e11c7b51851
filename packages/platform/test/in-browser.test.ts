import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { type AskingPage, type Browser, readFixtures, startBrowser } from "./page/open-page.ts";
import { describeFile, saveSmall } from "./page/work.ts";

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

if (!hasBrowser)
  console.warn(
    `SKIPPED: nothing was run in a browser, as there is none at ${CHROMIUM}: apt-get install chromium`,
  );

describe.skipIf(!hasBrowser)("in a worker of a page", () => {
  let browser: Browser;
  let first: AskingPage;
  beforeAll(async () => {
    browser = await startBrowser(readFixtures([...FILES, EXTERNAL].map((name) => FIXTURES + name)));
    first = await browser.openPage();
    await first.ask("fetchFile", "/weights.onnx.data", `/given/${EXTERNAL}`);
  });
  afterAll(() => browser?.close());

  it.each(FILES)("a mounted %s has the tensors that it has in Node.js", async (name) => {
    const path = `/given/${name}`;
    await first.ask("fetchFile", `/${name.split("/").at(-1)}`, path);
    const described = await first.ask("describeFile", path);
    expect(described.length).toBeGreaterThan(0);
    expect(described).toEqual(await describeFile(FIXTURES + name));
  });

  it("a saved file has the same bytes", async () => {
    expect(await first.ask("saveSmall", "/memory.safetensors")).toBe(await saveSmall("/tmp/x.safetensors"));
    await first.ask("mountStorage", "/out");
    expect(await first.ask("saveSmall", "/out/deep/a.safetensors")).toBe(
      await saveSmall("/tmp/x.safetensors"),
    );
    expect(await first.ask("saveSmall", "/out/deep/a.safetensors")).toBe(
      await saveSmall("/tmp/x.safetensors"),
    );
    expect(await first.ask("digestOutput", "/out/deep/a.safetensors")).toBe(
      await saveSmall("/tmp/x.safetensors"),
    );
  });
});
