// Measures the lower half of the page, in a browser, and prints one line of JSON for each measurement.
//
//   node page/bench/measure-lab.mjs pair     two digit networks aligned and measured, against the command in the same run
//   node page/bench/measure-lab.mjs large    two files of 1 GB compared and merged, with the renderer's memory
//   node page/bench/measure-lab.mjs closed   what a tab that is closed in the middle of that merge leaves
//
// --gb N sets the size of the large files; they are made once, in the system's folder for temporary files.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { buildPage } from "../build.mjs";
import { serveFolder } from "../serve.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PAIR = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map(
  (name) => `${root}examples/mnist-mlp/${name}`,
);
const LONGEST = 600_000;

/** Milliseconds between two looks at the renderer's memory. */
const LOOK = 20;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { gb: { type: "string", default: "1" } },
});
const folder = mkdtempSync(join(tmpdir(), "isthmus-measure-"));
const server = await serveFolder(await buildPage(join(folder, "site")));
const context = await chromium.launchPersistentContext(join(folder, "profile"), {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
  serviceWorkers: "block",
});
// The story's training is another measurement.
await context.route(/\/assets\/worker-/, (route) => route.abort());

const MEASUREMENTS = { pair: measurePair, large: measureLarge, closed: measureClosed };
try {
  for (const name of positionals) {
    const result = await MEASUREMENTS[name]();
    process.stdout.write(`${JSON.stringify({ measurement: name, ...result, load: loadavg()[0] })}\n`);
  }
} finally {
  await context.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measurePair() {
  const page = await openWith(PAIR);
  const began = performance.now();
  const align = await run(page, "lab-align");
  const line = await run(page, "lab-barrier");
  const inPage = (performance.now() - began) / 1000;
  const command = [
    "barrier",
    PAIR[0],
    PAIR[1],
    "--graph",
    PAIR[2],
    "--data",
    "mnist:test@2000",
    "--align",
    "--compare",
    "--json",
  ];
  const start = performance.now();
  const output = execFileSync(process.execPath, [`${root}packages/cli/bin/isthmus.js`, ...command], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const byCommand = (performance.now() - start) / 1000;
  const measured = JSON.parse(output.toString());
  const rows = await page
    .locator("#lab-barrier table tbody tr")
    .evaluateAll((all) =>
      all.map((row) => [...row.querySelectorAll("td")].map((cell) => Number.parseFloat(cell.textContent))),
    );
  const differences = rows.flatMap(([, given, aligned], i) => [
    Math.abs(given - measured.asGiven.points[i].loss),
    Math.abs(aligned - measured.points[i].loss),
  ]);
  await page.close();
  return {
    inPage,
    byCommand,
    ratio: inPage / byCommand,
    places: rows.length,
    said: [align, line],
    largestDifference: Math.max(...differences),
  };
}

async function measureLarge() {
  const page = await openWith(await largeFiles());
  const compared = await timed(() => run(page, "lab-compare"));
  const memory = watchMemory();
  const merged = await timed(() => run(page, "lab-merge"));
  const peaks = memory.stop();
  const written = await listStorage(page);
  await page.click("#lab-merge .written >> text=Remove");
  await page.close();
  return {
    compareSeconds: compared.seconds,
    mergeSeconds: merged.seconds,
    written,
    ...peaks,
    said: [compared.value, merged.value],
  };
}

async function measureClosed() {
  const page = await openWith(await largeFiles());
  await page.click("#lab-merge .go");
  await page.waitForFunction(() => document.querySelector("#lab-merge progress")?.value > 0.4, undefined, {
    timeout: LONGEST,
  });
  const closedAt = await page.evaluate(() => document.querySelector("#lab-merge progress").value);
  await page.close();
  const next = await context.newPage();
  await next.goto(server.url);
  const left = await listStorage(next);
  // The next use of the lab removes what was left.
  await next.setInputFiles("#lab-files", PAIR);
  await next.waitForSelector(".given li:nth-child(3)");
  const leftAfter = await listStorage(next);
  await next.close();
  return { closedAt, left, leftAfter, hasFinalName: left.some((name) => !name.startsWith(".")) };
}

/** Opens the page and gives it files. */
async function openWith(paths) {
  const page = await context.newPage();
  await page.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
  await page.goto(server.url);
  await page.setInputFiles("#lab-files", paths);
  await page.waitForSelector(`.given li:nth-child(${paths.length})`, { timeout: LONGEST });
  await page.waitForFunction(
    () => /merged/.test(document.querySelector("#lab-explained").textContent),
    undefined,
    { timeout: LONGEST },
  );
  return page;
}

/** Presses the button of a step, and returns what it says at the end. */
async function run(page, id) {
  await page.click(`#${id} .go`);
  await page.waitForSelector(`#${id}:is([data-state=done], [data-state=failed])`, { timeout: LONGEST });
  const said = await page.textContent(`#${id} > .say`);
  if ((await page.getAttribute(`#${id}`, "data-state")) === "failed") throw new Error(said);
  return said;
}

async function timed(act) {
  const began = performance.now();
  const value = await act();
  return { value, seconds: (performance.now() - began) / 1000 };
}

/** Lists the page's storage, folders with what is in them. */
async function listStorage(page) {
  return page.evaluate(async () => {
    const list = async (folder, before) => {
      const names = [];
      for await (const [name, entry] of folder.entries()) {
        names.push(before + name);
        if (entry.kind === "directory") names.push(...(await list(entry, `${before}${name}/`)));
      }
      return names;
    };
    return list(await navigator.storage.getDirectory(), "");
  });
}

/** Makes two files of random weights, unless they were made before. */
async function largeFiles() {
  return ["a", "b"].map((name, index) => {
    const path = join(tmpdir(), `isthmus-measure-${values.gb}gb-${name}.safetensors`);
    if (!existsSync(path)) {
      const options = ["--gb", values.gb, "--seed", String(index + 1)];
      execFileSync(process.execPath, [`${root}tools/make-checkpoint.mjs`, path, ...options], { cwd: root });
    }
    // Read once, so that the disk's cache is the same in each run.
    readWhole(path);
    return path;
  });
}

function readWhole(path) {
  execFileSync("cat", [path], { stdio: ["ignore", "ignore", "inherit"] });
  return statSync(path).size;
}

/** Watches the memory of the renderers until it is stopped; returns the largest, in megabytes, with and without mapped files. */
function watchMemory() {
  const peaks = { rendererMegabytes: 0, rendererMegabytesOfItsOwn: 0 };
  const look = () => {
    for (const { all, own } of rendererMemory()) {
      peaks.rendererMegabytes = Math.max(peaks.rendererMegabytes, all);
      peaks.rendererMegabytesOfItsOwn = Math.max(peaks.rendererMegabytesOfItsOwn, own);
    }
  };
  const timer = setInterval(look, LOOK);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peaks;
    },
  };
}

/** Returns the memory that each renderer of this browser has now. */
function rendererMemory() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const command = readFileSync(`/proc/${id}/cmdline`, "utf8");
        if (!command.includes("--type=renderer")) return [];
        const status = readFileSync(`/proc/${id}/status`, "utf8");
        const megabytes = (name) =>
          Math.round((1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)) / 1e6);
        return isOurs(id) ? [{ all: megabytes("VmRSS"), own: megabytes("RssAnon") }] : [];
      } catch {
        return []; // It has ended.
      }
    });
}

/** Checks whether a process belongs to this browser: some process above it has our profile. */
function isOurs(id) {
  for (let above = id; above !== undefined && above !== "0"; ) {
    if (readFileSync(`/proc/${above}/cmdline`, "utf8").includes(folder)) return true;
    above = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${above}/status`, "utf8"))?.[1];
  }
  return false;
}
