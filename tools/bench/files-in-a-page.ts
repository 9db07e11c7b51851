// Measures what a page does with two networks of 1 GB each that a person has chosen: how long it takes to compare them,
// how long to merge them to the page's storage, and how much memory its process takes at most.
//
//   npx tsx --conditions=@isthmus/source tools/bench/files-in-a-page.ts [gigabytes]
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@isthmus/core";
import { startBrowser } from "../../packages/platform/test/page/open-page.ts";

const gigabytes = Number(process.argv[2] ?? 1);
/** Rows and columns of a tensor in f32, which takes 16 MiB. */
const SIDE = 2048;
const COUNT = Math.round((gigabytes * 1e9) / (4 * SIDE * SIDE));

/** Writes a network of random weights; those of the second are near those of the first. */
function writeNetwork(path: string, seed: number): void {
  const bytes = 4 * SIDE * SIDE;
  const entries = Array.from({ length: COUNT }, (_, i) => [
    `layers.${i}.weight`,
    { dtype: "F32", shape: [SIDE, SIDE], data_offsets: [i * bytes, (i + 1) * bytes] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(path, "w");
  writeSync(file, Buffer.concat([length, header]));
  const base = createRandom(0, "base");
  const change = createRandom(seed, "change");
  const values = Float32Array.from(
    { length: SIDE * SIDE },
    () => base.normal() / 50 + change.normal() / 2000,
  );
  for (let i = 0; i < COUNT; i++) {
    // Each tensor is another turn of the same numbers, as drawing a billion bytes takes longer than what is measured.
    values.set(values.slice(0, 1 + i), values.length - 1 - i);
    writeSync(file, new Uint8Array(values.buffer));
  }
  closeSync(file);
}

const folder = mkdtempSync(join(tmpdir(), "isthmus-bench-"));
const paths = ["a", "b"].map((name) => join(folder, `${name}.safetensors`));
const browser = await startBrowser(new Map());
try {
  for (const [i, path] of paths.entries()) writeNetwork(path, i);
  const { page, ask } = await browser.openPage();
  await page.setInputFiles("input", paths);
  await page.evaluate(
    'Promise.all([...document.querySelector("input").files].map((file) => ask("mountFile", "/" + file.name, file)))',
  );
  await ask("mountStorage", "/out");
  const mounted = ["/a.safetensors", "/b.safetensors"];
  const session = await page.context().browser()?.newBrowserCDPSession();
  const inspector = session ?? (await page.context().newCDPSession(page));
  /** The most memory that a process of pages has taken, in MB, and the seconds of processors that all took. */
  const consumed = async (): Promise<{ readonly memory: number; readonly seconds: number }> => {
    const { processInfo } = await inspector.send("SystemInfo.getProcessInfo");
    const pages = processInfo.filter(({ type }) => type === "renderer");
    const peaks = pages.map(({ id }) => /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${id}/status`, "latin1")));
    return {
      memory: Math.round(Math.max(...peaks.map((peak) => Number(peak?.[1]) / 1000))),
      seconds: pages.reduce((sum, { cpuTime }) => sum + cpuTime, 0),
    };
  };
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const before = await consumed();
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1000;
    const { memory, seconds: worked } = await consumed();
    const words = `${seconds.toFixed(2)} s, of which its processors worked ${(worked - before.seconds).toFixed(2)} s`;
    process.stdout.write(`${what}: ${words}; at most ${memory} MB until then\n`);
  };
  process.stdout.write(
    `two networks of ${COUNT} tensors, ${(4e-9 * COUNT * SIDE * SIDE).toFixed(2)} GB each\n`,
  );
  await timed("page opened", async () => {});
  await timed("compared", () => ask("compareFiles", mounted));
  await timed("merged", () => ask("mergeLarge", mounted, "/out/mean.safetensors"));
  await timed("hashed", () => ask("digestFile", "/out/mean.safetensors"));
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
